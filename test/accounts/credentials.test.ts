import { describe, expect, test } from "vitest";
import { Credentials, type Renew } from "../../src/accounts/credentials.js";
import type { CredentialStore, StoredCredentials } from "../../src/core/store.js";
import type { TokenPair } from "../../src/core/token.js";

const never = () => new AbortController().signal;

/** A token with true claims; times are seconds from now. */
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
  saved: StoredCredentials | undefined;
  saves = 0;
  beforeSave: () => Promise<void> = async () => {};
  /** Who else holds the lock. */
  lockedBy: string | undefined;
  async lock(_name: string, owner: string): Promise<boolean> {
    if (this.lockedBy !== undefined && this.lockedBy !== owner) return false;
    this.lockedBy = owner;
    return true;
  }
  async unlock(_name: string, owner: string): Promise<void> {
    if (this.lockedBy === owner) this.lockedBy = undefined;
  }
  async credentials(): Promise<StoredCredentials | undefined> {
    return this.saved;
  }
  async saveCredentials(_account: string, credentials: StoredCredentials): Promise<void> {
    await this.beforeSave();
    this.saved = credentials;
    this.saves++;
  }
}

function open(configured: TokenPair, renew: Renew, store = new MemoryStore(), warnings: string[] = []) {
  return Credentials.open("me", configured, { store, renew, warn: (message) => warnings.push(message) });
}

const expired = pair("expired", { issued: -1_000 });

test("a valid token is used as it is", async () => {
  const configured = pair("valid");
  const credentials = await open(configured, () => Promise.reject(new Error("not asked")));
  expect(await credentials.accessToken(never())).toBe(configured.accessToken);
});

test("a hundred requests with an expired token make one renewal, stored before anyone uses it", async () => {
  const renewed = pair("renewed");
  const store = new MemoryStore();
  let release = () => {};
  store.beforeSave = () => new Promise((resolve) => (release = resolve));
  let renewals = 0;
  const credentials = await open(
    expired,
    async () => {
      renewals++;
      return renewed;
    },
    store,
  );
  let given = 0;
  const waiting = Array.from({ length: 100 }, () => credentials.accessToken(never()).then(() => given++));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(given).toBe(0);
  release();
  await Promise.all(waiting);
  expect(renewals).toBe(1);
  expect(store.saved).toMatchObject({ current: renewed, previous: expired });
  expect(await credentials.accessToken(never())).toBe(renewed.accessToken);
});

test("past four fifths of its life a token still serves while its successor is fetched", async () => {
  const old = pair("old", { issued: -800 });
  const renewed = pair("renewed");
  const store = new MemoryStore();
  const credentials = await open(old, async () => renewed, store);
  expect(await credentials.accessToken(never())).toBe(old.accessToken);
  await expect.poll(() => store.saves).toBe(1);
  expect(await credentials.accessToken(never())).toBe(renewed.accessToken);
});

test("once the new pair has worked, the old one is forgotten", async () => {
  const renewed = pair("renewed");
  const store = new MemoryStore();
  const credentials = await open(expired, async () => renewed, store);
  await credentials.confirm(await credentials.accessToken(never()));
  expect(store.saved).not.toHaveProperty("previous");
});

test("a token that Kimi refused is replaced once, however many report it", async () => {
  const renewed = pair("renewed");
  const configured = pair("valid");
  let renewals = 0;
  const credentials = await open(configured, async () => {
    renewals++;
    return renewed;
  });
  const rejected = configured.accessToken ?? "";
  await Promise.all([credentials.replace(rejected, never()), credentials.replace(rejected, never())]);
  expect(await credentials.replace(rejected, never())).toBe(renewed.accessToken);
  expect(renewals).toBe(1);
});

test("a refused refresh token means: log in; it is not tried again at once", async () => {
  let tries = 0;
  const credentials = await open(expired, async () => {
    tries++;
    return "refused";
  });
  for (let n = 0; n < 5; n++) {
    await expect(credentials.accessToken(never())).rejects.toMatchObject({
      code: "account_login_required",
      status: 503,
    });
  }
  expect(tries).toBe(1);
  expect(credentials.status()).toMatchObject({
    state: "login required",
    detail: expect.stringMatching(/Log in/),
  });
});

test("an unreachable gateway is not a refusal: the next request tries again", async () => {
  let tries = 0;
  const renewed = pair("renewed");
  const credentials = await open(expired, async () => {
    if (tries++ === 0) throw new Error("network");
    return renewed;
  });
  await expect(credentials.accessToken(never())).rejects.toThrow("network");
  expect(await credentials.accessToken(never())).toBe(renewed.accessToken);
});

test("an older refresh token is tried where a renewal's answer was lost", async () => {
  const [first, second, third] = [
    pair("first", { issued: -2_000 }),
    pair("second", { issued: -1_000 }),
    pair("third"),
  ];
  const store = new MemoryStore();
  store.saved = { current: second, previous: first, startedFrom: "other", savedAt: 0 };
  const tried: string[] = [];
  const credentials = await open(
    first,
    async (refreshToken) => {
      tried.push(refreshToken);
      return refreshToken === first.refreshToken ? third : "refused";
    },
    store,
  );
  expect(await credentials.accessToken(never())).toBe(third.accessToken);
  expect(tried).toEqual([second.refreshToken, first.refreshToken]);
});

test("without a refresh token the end of the access token says what to do", async () => {
  const { accessToken } = expired;
  const credentials = await open(accessToken ? { accessToken } : {}, () =>
    Promise.reject(new Error("not asked")),
  );
  await expect(credentials.accessToken(never())).rejects.toThrow(/there is no refresh token/);
});

test("who stops waiting leaves; the renewal goes on for the others", async () => {
  const renewed = pair("renewed");
  let finish = (_: TokenPair) => {};
  const credentials = await open(expired, () => new Promise((resolve) => (finish = resolve)));
  const leaver = new AbortController();
  const left = credentials.accessToken(leaver.signal);
  const stayed = credentials.accessToken(never());
  leaver.abort(new Error("left"));
  await expect(left).rejects.toThrow("left");
  finish(renewed);
  expect(await stayed).toBe(renewed.accessToken);
});

test("a full disk does not cost the login, and is told", async () => {
  const renewed = pair("renewed");
  const store = new MemoryStore();
  store.beforeSave = () => Promise.reject(new Error("ENOSPC"));
  const warnings: string[] = [];
  const credentials = await open(expired, async () => renewed, store, warnings);
  expect(await credentials.accessToken(never())).toBe(renewed.accessToken);
  expect(warnings).toEqual([expect.stringMatching(/could not be stored/)]);
});

describe("at start the newer of config and store wins", () => {
  const started = async (configured: TokenPair, stored: TokenPair, startedFrom = "other") => {
    const store = new MemoryStore();
    store.saved = { current: stored, startedFrom, savedAt: 0 };
    const credentials = await open(configured, () => Promise.reject(new Error("not asked")), store);
    return credentials.accessToken(never());
  };

  test("a stored pair that was issued later", async () => {
    const [configured, stored] = [pair("c", { issued: -100 }), pair("s")];
    expect(await started(configured, stored)).toBe(stored.accessToken);
  });

  test("a configured pair that was issued later", async () => {
    const [configured, stored] = [pair("c"), pair("s", { issued: -100 })];
    expect(await started(configured, stored)).toBe(configured.accessToken);
  });

  test("a pair of moonbridge login, another user's or not, unless the configured one was issued later", async () => {
    const [older, newer] = [pair("o", { issued: -100 }), pair("n", { user: "other" })];
    expect(await started(older, newer, "login")).toBe(newer.accessToken);
    expect(await started(newer, older, "login")).toBe(newer.accessToken);
    expect(await started({ accessToken: "opaque" }, older, "login")).toBe(older.accessToken);
  });

  test("the configured pair of another user", async () => {
    const [configured, stored] = [pair("c", { issued: -100, user: "other" }), pair("s")];
    expect(await started(configured, stored)).toBe(configured.accessToken);
  });

  test("tokens that say nothing: what descends from the config, else the config", async () => {
    const configured = { accessToken: "opaque-new", refreshToken: "opaque" };
    const stored = { accessToken: "opaque-stored", refreshToken: "opaque-2" };
    expect(await started(configured, stored)).toBe("opaque-new");
    const store = new MemoryStore();
    const first = await open(configured, async () => stored, store);
    await first.replace("opaque-new", never());
    const second = await open(configured, () => Promise.reject(new Error("not asked")), store);
    expect(await second.accessToken(never())).toBe("opaque-stored");
  });
});

describe("two processes on one store", () => {
  test("the second waits for the first and takes over what it has stored", async () => {
    const [renewed, store] = [pair("renewed"), new MemoryStore()];
    const credentials = await open(expired, () => Promise.reject(new Error("not asked")), store);
    store.lockedBy = "another process";
    const waiting = credentials.accessToken(never());
    await new Promise((resolve) => setTimeout(resolve, 50));
    store.saved = { current: renewed, startedFrom: "", savedAt: Date.now() };
    store.lockedBy = undefined;
    expect(await waiting).toBe(renewed.accessToken);
  });

  test("a lock is given back even when the renewal fails", async () => {
    const store = new MemoryStore();
    const credentials = await open(expired, () => Promise.reject(new Error("network")), store);
    await expect(credentials.accessToken(never())).rejects.toThrow("network");
    expect(store.lockedBy).toBeUndefined();
  });
});
