import { describe, expect, test } from "vitest";
import { Credentials, type RefreshTokens } from "../../src/accounts/credentials.js";
import type { CredentialStore, StoredCredentials } from "../../src/core/store.js";
import type { TokenPair } from "../../src/core/token.js";

const neverAborts = () => new AbortController().signal;

/** An unsigned token; times are seconds from now. */
function token(kind: string, { issued = 0, life = 900, user = "u", name = "" } = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { typ: kind, sub: user, iat: now + issued, exp: now + issued + life, name };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
}

function pair(name: string, options: { issued?: number; life?: number; user?: string } = {}): TokenPair {
  return {
    accessToken: token("access", { ...options, name }),
    refreshToken: token("refresh", { ...options, life: 7_776_000, name }),
  };
}

class MemoryStore implements CredentialStore {
  readonly isShared: boolean = false;
  saved: StoredCredentials | undefined;
  saves = 0;
  beforeSave: () => Promise<void> = async () => {};
  /** Owner of the lock. */
  lockedBy: string | undefined;
  async acquireLock(_name: string, owner: string): Promise<number | undefined> {
    if (this.lockedBy !== undefined && this.lockedBy !== owner) return undefined;
    this.lockedBy = owner;
    return 1;
  }
  async releaseLock(_name: string, owner: string): Promise<void> {
    if (this.lockedBy === owner) this.lockedBy = undefined;
  }
  async findCredentials(): Promise<StoredCredentials | undefined> {
    return this.saved;
  }
  async saveCredentials(_account: string, credentials: StoredCredentials): Promise<boolean> {
    await this.beforeSave();
    this.saved = credentials;
    this.saves++;
    return true;
  }
}

function openCredentials(
  configured: TokenPair,
  refresh: RefreshTokens,
  store = new MemoryStore(),
  warnings: string[] = [],
) {
  return Credentials.open("me", configured, {
    store,
    refresh,
    warn: (message) => warnings.push(message),
  });
}

const expired = pair("expired", { issued: -1_000 });

test("returns a valid access token without a refresh", async () => {
  const configured = pair("valid");
  const credentials = await openCredentials(configured, () => Promise.reject(new Error("not asked")));
  expect(await credentials.accessToken(neverAborts())).toBe(configured.accessToken);
});

test("refreshes once for a hundred concurrent requests, and stores the pair before any of them gets it", async () => {
  const refreshed = pair("refreshed");
  const store = new MemoryStore();
  let release = () => {};
  store.beforeSave = () => new Promise((resolve) => (release = resolve));
  let refreshCount = 0;
  const credentials = await openCredentials(
    expired,
    async () => {
      refreshCount++;
      return refreshed;
    },
    store,
  );
  let resolvedCount = 0;
  const waiting = Array.from({ length: 100 }, () =>
    credentials.accessToken(neverAborts()).then(() => resolvedCount++),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(resolvedCount).toBe(0);
  release();
  await Promise.all(waiting);
  expect(refreshCount).toBe(1);
  expect(store.saved).toMatchObject({ current: refreshed, previous: expired });
  expect(await credentials.accessToken(neverAborts())).toBe(refreshed.accessToken);
});

test("returns a token past 80 % of its lifetime at once and refreshes it in the background", async () => {
  const old = pair("old", { issued: -800 });
  const refreshed = pair("refreshed");
  const store = new MemoryStore();
  const credentials = await openCredentials(old, async () => refreshed, store);
  expect(await credentials.accessToken(neverAborts())).toBe(old.accessToken);
  await expect.poll(() => store.saves).toBe(1);
  expect(await credentials.accessToken(neverAborts())).toBe(refreshed.accessToken);
});

test("drops the previous pair once the new one has worked", async () => {
  const refreshed = pair("refreshed");
  const store = new MemoryStore();
  const credentials = await openCredentials(expired, async () => refreshed, store);
  await credentials.confirm(await credentials.accessToken(neverAborts()));
  expect(store.saved).not.toHaveProperty("previous");
});

test("replaces a rejected token once, however many callers report it", async () => {
  const refreshed = pair("refreshed");
  const configured = pair("valid");
  let refreshCount = 0;
  const credentials = await openCredentials(configured, async () => {
    refreshCount++;
    return refreshed;
  });
  const rejected = configured.accessToken ?? "";
  await Promise.all([
    credentials.replace(rejected, neverAborts()),
    credentials.replace(rejected, neverAborts()),
  ]);
  expect(await credentials.replace(rejected, neverAborts())).toBe(refreshed.accessToken);
  expect(refreshCount).toBe(1);
});

test("requires a login after a refused refresh, and does not retry at once", async () => {
  let tries = 0;
  const credentials = await openCredentials(expired, async () => {
    tries++;
    return "refused";
  });
  for (let n = 0; n < 5; n++) {
    await expect(credentials.accessToken(neverAborts())).rejects.toMatchObject({
      code: "account_login_required",
      status: 424,
    });
  }
  expect(tries).toBe(1);
  expect(credentials.status()).toMatchObject({
    state: "login required",
    detail: expect.stringMatching(/Log in/),
  });
});

test("retries on the next request after Kimi was unreachable", async () => {
  let tries = 0;
  const refreshed = pair("refreshed");
  const credentials = await openCredentials(expired, async () => {
    if (tries++ === 0) throw new Error("network");
    return refreshed;
  });
  await expect(credentials.accessToken(neverAborts())).rejects.toThrow("network");
  expect(await credentials.accessToken(neverAborts())).toBe(refreshed.accessToken);
});

test("tries the previous refresh token if the current one is refused", async () => {
  const [first, second, third] = [
    pair("first", { issued: -2_000 }),
    pair("second", { issued: -1_000 }),
    pair("third"),
  ];
  const store = new MemoryStore();
  store.saved = { current: second, previous: first, startedFrom: "other", savedAt: 0 };
  const tried: string[] = [];
  const credentials = await openCredentials(
    first,
    async (refreshToken) => {
      tried.push(refreshToken);
      return refreshToken === first.refreshToken ? third : "refused";
    },
    store,
  );
  expect(await credentials.accessToken(neverAborts())).toBe(third.accessToken);
  expect(tried).toEqual([second.refreshToken, first.refreshToken]);
});

test("explains what to do when an access token without a refresh token expires", async () => {
  const { accessToken } = expired;
  const credentials = await openCredentials(accessToken ? { accessToken } : {}, () =>
    Promise.reject(new Error("not asked")),
  );
  await expect(credentials.accessToken(neverAborts())).rejects.toThrow(/there is no refresh token/);
});

test("continues a refresh for the other callers when one aborts", async () => {
  const refreshed = pair("refreshed");
  let finish: ((pair: TokenPair) => void) | undefined;
  const credentials = await openCredentials(expired, () => new Promise((resolve) => (finish = resolve)));
  const abortController = new AbortController();
  const aborted = credentials.accessToken(abortController.signal);
  const other = credentials.accessToken(neverAborts());
  abortController.abort(new Error("left"));
  await expect(aborted).rejects.toThrow("left");
  await expect.poll(() => finish).toBeDefined();
  finish?.(refreshed);
  expect(await other).toBe(refreshed.accessToken);
});

test("keeps working with a refreshed pair on a full disk, and logs a warning", async () => {
  const refreshed = pair("refreshed");
  const store = new MemoryStore();
  store.beforeSave = () => Promise.reject(new Error("ENOSPC"));
  const warnings: string[] = [];
  const credentials = await openCredentials(expired, async () => refreshed, store, warnings);
  expect(await credentials.accessToken(neverAborts())).toBe(refreshed.accessToken);
  expect(warnings).toEqual([expect.stringMatching(/could not be stored/)]);
});

describe("precedence of configured and stored pairs", () => {
  const accessTokenAtStart = async (configured: TokenPair, stored: TokenPair, startedFrom = "other") => {
    const store = new MemoryStore();
    store.saved = { current: stored, startedFrom, savedAt: 0 };
    const credentials = await openCredentials(
      configured,
      () => Promise.reject(new Error("not asked")),
      store,
    );
    return credentials.accessToken(neverAborts());
  };

  test("uses a stored pair that was issued later", async () => {
    const [configured, stored] = [pair("c", { issued: -100 }), pair("s")];
    expect(await accessTokenAtStart(configured, stored)).toBe(stored.accessToken);
  });

  test("uses a configured pair that was issued later", async () => {
    const [configured, stored] = [pair("c"), pair("s", { issued: -100 })];
    expect(await accessTokenAtStart(configured, stored)).toBe(configured.accessToken);
  });

  test("uses a pair of moonbridge login, of any user, unless the configured one was issued later", async () => {
    const [older, newer] = [pair("o", { issued: -100 }), pair("n", { user: "other" })];
    expect(await accessTokenAtStart(older, newer, "login")).toBe(newer.accessToken);
    expect(await accessTokenAtStart(newer, older, "login")).toBe(newer.accessToken);
    expect(await accessTokenAtStart({ accessToken: "opaque" }, older, "login")).toBe(older.accessToken);
  });

  test("uses the configured pair if it belongs to another user than the stored one", async () => {
    const [configured, stored] = [pair("c", { issued: -100, user: "other" }), pair("s")];
    expect(await accessTokenAtStart(configured, stored)).toBe(configured.accessToken);
  });

  test("for tokens without claims, uses the stored pair only if it descends from the configured one", async () => {
    const configured = { accessToken: "opaque-new", refreshToken: "opaque" };
    const stored = { accessToken: "opaque-stored", refreshToken: "opaque-2" };
    expect(await accessTokenAtStart(configured, stored)).toBe("opaque-new");
    const store = new MemoryStore();
    const first = await openCredentials(configured, async () => stored, store);
    await first.replace("opaque-new", neverAborts());
    const second = await openCredentials(configured, () => Promise.reject(new Error("not asked")), store);
    expect(await second.accessToken(neverAborts())).toBe("opaque-stored");
  });
});

describe("two processes on one store", () => {
  test("wait for each other's refresh and adopt the stored pair", async () => {
    const [refreshed, store] = [pair("refreshed"), new MemoryStore()];
    const credentials = await openCredentials(expired, () => Promise.reject(new Error("not asked")), store);
    store.lockedBy = "another process";
    const waiting = credentials.accessToken(neverAborts());
    await new Promise((resolve) => setTimeout(resolve, 50));
    store.saved = { current: refreshed, startedFrom: "", savedAt: Date.now() };
    store.lockedBy = undefined;
    expect(await waiting).toBe(refreshed.accessToken);
  });

  test("release the lock even if the refresh fails", async () => {
    const store = new MemoryStore();
    const credentials = await openCredentials(expired, () => Promise.reject(new Error("network")), store);
    await expect(credentials.accessToken(neverAborts())).rejects.toThrow("network");
    expect(store.lockedBy).toBeUndefined();
  });

  test("adopt what the other has stored, when a refresh took longer than the lock was held", async () => {
    const [mine, theirs] = [pair("mine"), pair("theirs", { issued: 10 })];
    const store = new MemoryStore();
    const credentials = await openCredentials(expired, async () => mine, store);
    store.saveCredentials = async () => {
      store.saved = { current: theirs, startedFrom: "", savedAt: Date.now() };
      return false;
    };
    await credentials.accessToken(neverAborts());
    expect(await credentials.accessToken(neverAborts())).toBe(theirs.accessToken);
    expect(store.saved?.current).toEqual(theirs);
  });

  test.each([
    ["refresh without the lock where the store of this machine fails", false, "refreshed"],
    ["do not refresh without the lock where the store is shared with other machines", true, "not renewed"],
  ])("%s", async (_, isShared, expected) => {
    const store = new (class extends MemoryStore {
      override readonly isShared = isShared;
      override acquireLock = () => Promise.reject(new Error("The store fails."));
    })();
    const refreshed = pair("refreshed");
    const credentials = await openCredentials(expired, async () => refreshed, store);
    const result = await credentials.accessToken(neverAborts()).then(
      (token) => (token === refreshed.accessToken ? "refreshed" : token),
      (error: Error) => error.message,
    );
    expect(result).toContain(expected);
  });
});
