import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { saveLogin } from "../../src/accounts/save-login.js";
import type { Store } from "../../src/core/store.js";
import type { TokenPair } from "../../src/core/token.js";
import { openStore } from "../../src/store/open-store.js";
import { FakeKimiAccount, GatewayProcess, type StoreFault } from "./fake-kimi-account.js";
import { advance, advanceUntilDone, flushImmediates, startVirtualTime } from "./virtual-time.js";

// Files share loaded modules (vitest.config.ts): these are loaded with the mock, and later files load them without it.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.resetModules();
});
vi.mock("node:timers/promises", async () => (await import("./virtual-time.js")).timersPromises);

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const neverAborts = new AbortController().signal;

let path = "";
beforeEach(() => {
  startVirtualTime();
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-refresh-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  path = join(folder, "moonbridge.db");
});

async function start(
  kimi: FakeKimiAccount,
  configured: TokenPair,
  storeFault?: () => StoreFault | undefined,
) {
  const process = await GatewayProcess.start(kimi, path, configured, storeFault);
  onTestFinished(() => process.kill());
  return process;
}

/** A separate connection to the same store. */
async function openAccountStore(): Promise<Store> {
  const store = await openStore({ store: { kind: "sqlite", path }, encryptionKeys: [] });
  onTestFinished(() => store.close());
  return store;
}

/** Stores a pair as `moonbridge login` does. */
async function logIn(current: TokenPair): Promise<void> {
  await (await openAccountStore()).saveCredentials("me", {
    current,
    startedFrom: "login",
    savedAt: Date.now(),
  });
}

/** Stores tokens through the use case of `moonbridge login`, without asking Kimi. */
async function loginThroughCommand(tokens: TokenPair): Promise<void> {
  const site = { baseUrl: "https://www.kimi.com", authUrl: "https://auth.kimi.com" };
  await saveLogin(await openAccountStore(), "me", { tokens, site });
}

describe("refresh over time", () => {
  test("refreshes credentials in use at about 80 % of their lifetime, without a request at that moment", async () => {
    const kimi = new FakeKimiAccount();
    const process = await start(kimi, kimi.issueTokens());
    expect(await process.request()).toBe("answered");
    await advance(11.5 * minute);
    expect(kimi.refreshes).toBe(0);
    await advance(1.5 * minute);
    expect(kimi.refreshes).toBe(1);
  });

  test("refreshes unused credentials once a day, so that they outlive the 90 days of a refresh token", async () => {
    const kimi = new FakeKimiAccount();
    const process = await start(kimi, kimi.issueTokens());
    for (let time = 0; time < 95 * day; time += 6 * hour) {
      vi.setSystemTime(Date.now() + 6 * hour - 20 * second);
      await advance(20 * second);
    }
    expect(kimi.refreshes).toBeGreaterThanOrEqual(75);
    expect(kimi.refreshes).toBeLessThanOrEqual(96);
    const request = process.request();
    await advance(second);
    expect(await request).toBe("answered");
  });

  test("keeps its lock during a slow refresh, and another process waits for it", async () => {
    const kimi = new FakeKimiAccount();
    kimi.latency = 40 * second;
    const configured = kimi.issueTokens({ accessSeconds: 0 });
    const both = [await start(kimi, configured), await start(kimi, configured)];
    const requests = Promise.all(both.map((process) => process.request()));
    await advance(45 * second);
    expect(await requests).toEqual(["answered", "answered"]);
    expect(kimi.refreshes).toBe(1);
  });

  test("delays the next process by seconds only if a process is killed while it refreshes", async () => {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens({ accessSeconds: 0 });
    const first = await start(kimi, configured);
    void first.request();
    await advance(100);
    await first.kill();
    const second = await start(kimi, configured);
    const request = second.request();
    await advance(6_000);
    expect(await request).toBe("answered");
  });
});

describe("failures", () => {
  test("spaces its attempts while Kimi is unreachable for an hour, reports the next one, and recovers by itself", async () => {
    const kimi = new FakeKimiAccount();
    const process = await start(kimi, kimi.issueTokens({ accessSeconds: 0 }));
    kimi.isUnreachable = true;
    const outcomes: unknown[] = [];
    for (let n = 0; n < 3_600; n++) {
      void process.request().then((outcome) => outcomes.push(outcome));
      await advance(second);
    }
    expect(kimi.attempts).toBeGreaterThan(50);
    expect(kimi.attempts).toBeLessThan(140);
    expect(kimi.maxConcurrent).toBe(1);
    expect(outcomes.at(-1)).toMatchObject({
      code: "upstream_unavailable",
      message: "Kimi cannot be reached.",
    });
    // A request that makes or awaits the failing attempt itself gets no `retryAfterSeconds`.
    expect(outcomes.slice(-90)).toContainEqual(
      expect.objectContaining({
        code: "upstream_unavailable",
        message: "Kimi cannot be reached.",
        retryAfterSeconds: expect.any(Number),
      }),
    );
    const status = process.credentials.status();
    expect(status).toMatchObject({
      state: "unavailable",
      detail: expect.stringMatching(/Kimi cannot be reached/),
    });
    const wait = "until" in status ? status.until - Date.now() : Number.NaN;
    expect(wait).toBeGreaterThanOrEqual(0);
    expect(wait).toBeLessThanOrEqual(minute);

    kimi.isUnreachable = false;
    await advance(80 * second);
    expect(process.credentials.status().state).toBe("ok");
    expect(await process.request()).toBe("answered");
  });

  test("retries refused credentials at growing intervals, and recovers if Kimi accepts them again", async () => {
    const kimi = new FakeKimiAccount();
    const process = await start(kimi, kimi.issueTokens({ accessSeconds: 0 }));
    kimi.faults.push(...Array<"refused">(20).fill("refused"));
    for (let n = 0; n < 24 * 60; n++) {
      void process.request();
      await advance(minute);
    }
    // Half a minute at first, up to an hour.
    expect(kimi.refreshes).toBeGreaterThan(20);
    expect(kimi.attempts).toBeLessThan(160);
    expect(process.credentials.status().state).toBe("ok");
  });

  test("makes only a few dozen attempts in a day with revoked credentials, despite requests", async () => {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens({ accessSeconds: 0 });
    kimi.revoke(configured.refreshToken);
    const process = await start(kimi, configured);
    for (let n = 0; n < 24 * 60; n++) {
      void process.request();
      await advance(minute);
    }
    expect(kimi.attempts).toBeLessThan(60);
    expect(process.credentials.status()).toMatchObject({
      state: "login required",
      detail: expect.stringMatching(/Log in there/),
    });
  });

  test("refreshes once in half a minute if Kimi rejects each new access token", async () => {
    const kimi = new FakeKimiAccount();
    const process = await start(kimi, kimi.issueTokens());
    kimi.accepts = () => false;
    const outcomes: unknown[] = [];
    for (let n = 0; n < 300; n++) {
      void process.request().then((outcome) => outcomes.push(outcome));
      await advance(second);
    }
    expect(kimi.refreshes).toBeLessThanOrEqual(11);
    expect(outcomes.at(-2)).toMatchObject({ code: "account_login_required" });
  });

  test("uses new tokens that look expired for as long as Kimi accepts them", async () => {
    const kimi = new FakeKimiAccount();
    const refresh = kimi.refresh;
    let issuedCount = 0;
    // Without an `iat` claim, the skew of an hour cannot be derived.
    const claims = () => ({ exp: Math.floor(Date.now() / second) - 3_600, jti: issuedCount++ });
    const opaque = () => `e30.${Buffer.from(JSON.stringify(claims())).toString("base64url")}.x`;
    Object.assign(kimi, {
      refresh: async () => ({
        ...Object(await refresh("", neverAborts)),
        accessToken: opaque(),
        refreshToken: opaque(),
      }),
      accepts: () => true,
    });
    const process = await start(kimi, { refreshToken: opaque() });
    for (let n = 0; n < 600; n++) {
      void process.request();
      await advance(second);
    }
    expect(issuedCount).toBeLessThan(50);
    expect(process.failures).toBe(0);
  });
});

describe("moonbridge login beside a running Moonbridge", () => {
  /** A process whose configured login Kimi has revoked, after its first request. */
  async function startWithRevokedLogin() {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens({ accessSeconds: 0 });
    kimi.revoke(configured.refreshToken);
    const process = await start(kimi, configured);
    void process.request();
    await advance(second);
    return { kimi, process };
  }

  test("replaces revoked credentials without a restart or a request", async () => {
    const { kimi, process } = await startWithRevokedLogin();
    expect(process.credentials.status().state).toBe("login required");
    await logIn(kimi.issueTokens());
    await advance(16 * second);
    expect(process.credentials.status().state).toBe("ok");
    expect(await process.request()).toBe("answered");
  });

  test("is picked up by the next request at once, even as a refresh token alone", async () => {
    const { kimi, process } = await startWithRevokedLogin();
    const { refreshToken } = kimi.issueTokens();
    await logIn({ refreshToken });
    const request = process.request();
    await advance(second);
    expect(await request).toBe("answered");
    expect(process.credentials.status().state).toBe("ok");
  });

  test("replaces an expired access token that has no refresh token", async () => {
    const kimi = new FakeKimiAccount();
    const { accessToken } = kimi.issueTokens({ accessSeconds: 0 });
    const process = await start(kimi, { accessToken });
    expect(process.credentials.status().state).toBe("login required");
    await logIn(kimi.issueTokens());
    await advance(16 * second);
    expect(process.credentials.status().state).toBe("ok");
  });

  test("is not overwritten by a refresh that was running", async () => {
    const kimi = new FakeKimiAccount();
    const process = await start(kimi, kimi.issueTokens({ accessSeconds: 0 }));
    const request = process.request();
    await advance(100);
    const imported = kimi.issueTokens({ user: "another" });
    await logIn(imported);
    await advance(second);
    expect(await request).toBe("answered");
    expect((await (await openAccountStore()).findCredentials("me"))?.current).toEqual(imported);
    expect(await process.credentials.accessToken(neverAborts)).toBe(imported.accessToken);
  });

  test("takes precedence over older configured tokens even for another user, until newer ones are configured", async () => {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens();
    await advance(minute);
    const imported = kimi.issueTokens({ user: "another" });
    await logIn(imported);
    const process = await start(kimi, configured);
    const refreshed = process.credentials.replace(imported.accessToken, neverAborts);
    await advance(second);
    await refreshed;
    await process.stop();

    const again = await start(kimi, configured);
    expect(await again.credentials.accessToken(neverAborts)).toBe(await refreshed);
    await again.stop();
    const pasted = kimi.issueTokens();
    const repasted = await start(kimi, pasted);
    expect(await repasted.credentials.accessToken(neverAborts)).toBe(pasted.accessToken);
  });

  test("does not fall back to another user's configured tokens if its own are refused", async () => {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens({ accessSeconds: 0 });
    await advance(minute);
    const imported = kimi.issueTokens({ user: "another", accessSeconds: 0 });
    kimi.revoke(imported.refreshToken);
    await logIn(imported);
    const process = await start(kimi, configured);
    const request = process.request();
    await advance(second);
    expect(await request).toMatchObject({ code: "account_login_required" });
  });
});

describe("an access token alone", () => {
  test("in the config, newer than a stored login of its user, keeps the stored refresh token", async () => {
    const kimi = new FakeKimiAccount();
    const stored = kimi.issueTokens();
    await logIn(stored);
    await advance(minute);
    const { accessToken } = kimi.issueTokens();
    const process = await start(kimi, { accessToken });
    expect(await process.credentials.accessToken(neverAborts)).toBe(accessToken);
    await advance(15 * minute);
    expect(await process.request()).toBe("answered");
    expect(kimi.refreshes).toBeGreaterThan(0);
    expect((await (await openAccountStore()).findCredentials("me"))?.current.refreshToken).not.toBe(
      stored.refreshToken,
    );
  });

  test("in the config of another user does not get that refresh token", async () => {
    const kimi = new FakeKimiAccount();
    await logIn(kimi.issueTokens());
    await advance(minute);
    const { accessToken } = kimi.issueTokens({ user: "another" });
    const process = await start(kimi, { accessToken });
    await advance(15 * minute);
    const request = process.request();
    await advance(second);
    expect(await request).toMatchObject({ code: "account_login_required" });
  });

  test("from moonbridge login is adopted beside a running Moonbridge, and the refresh token stays", async () => {
    const kimi = new FakeKimiAccount();
    const stored = kimi.issueTokens();
    await logIn(stored);
    const process = await start(kimi, {});
    const { accessToken } = kimi.issueTokens();
    await loginThroughCommand({ accessToken });
    await advance(16 * second);
    expect(await process.credentials.accessToken(neverAborts)).toBe(accessToken);
    expect(process.credentials.status().state).toBe("ok");
    expect((await (await openAccountStore()).findCredentials("me"))?.current).toEqual({
      ...stored,
      accessToken,
    });
  });

  test("from moonbridge login waits for a refresh that is running, whose refresh token it keeps", async () => {
    const kimi = new FakeKimiAccount({ graceSeconds: 0 });
    await logIn(kimi.issueTokens({ accessSeconds: 0 }));
    const process = await start(kimi, {});
    const request = process.request();
    await advance(100);
    const { accessToken } = kimi.issueTokens();
    const login = loginThroughCommand({ accessToken });
    await advance(second);
    await login;
    expect(await request).toBe("answered");
    const { current } = (await (await openAccountStore()).findCredentials("me")) ?? {};
    expect(current?.accessToken).toBe(accessToken);
    const next = kimi.refresh(current?.refreshToken ?? "", neverAborts);
    await advance(second);
    expect(await next).not.toBe("refused");
  });
});

describe("before a turn that may take minutes", () => {
  const longTurn = 10 * minute;

  test("an access token with less than that left is renewed, once for all, and a fresh one is not", async () => {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens();
    const { credentials } = await start(kimi, configured);
    await advance(4 * minute);
    expect(await credentials.accessToken(neverAborts, longTurn)).toBe(configured.accessToken);
    await advance(2 * minute);
    expect(await credentials.accessToken(neverAborts)).toBe(configured.accessToken);
    expect(kimi.refreshes).toBe(0);
    const tokens = Promise.all([1, 2, 3].map(() => credentials.accessToken(neverAborts, longTurn)));
    await advance(second);
    expect(new Set(await tokens).size).toBe(1);
    expect((await tokens)[0]).not.toBe(configured.accessToken);
    expect(kimi.refreshes).toBe(1);
  });

  test("a token that is valid for some minutes is used if Kimi cannot renew it now", async () => {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens();
    const { credentials } = await start(kimi, configured);
    await advance(6 * minute);
    kimi.isUnreachable = true;
    const token = credentials.accessToken(neverAborts, longTurn);
    await advance(second);
    expect(await token).toBe(configured.accessToken);
    kimi.isUnreachable = false;
    kimi.latency = 40 * second;
    await advance(2 * second);
    const slow = credentials.accessToken(neverAborts, longTurn);
    await advance(6 * second);
    expect(await slow).toBe(configured.accessToken);
  });

  test("tokens that live shorter than that are not renewed for each turn", async () => {
    const kimi = new FakeKimiAccount({ accessSeconds: 300 });
    const { credentials } = await start(kimi, kimi.issueTokens());
    for (let n = 0; n < 60; n++) {
      void credentials.accessToken(neverAborts, longTurn);
      await advance(10 * second);
    }
    expect(kimi.refreshes).toBeLessThan(8);
  });
});

describe("storing refreshed tokens", () => {
  test("does not overwrite another process's newer pair when it confirms an older one late", async () => {
    const kimi = new FakeKimiAccount();
    const configured = kimi.issueTokens();
    const [processA, processB] = [await start(kimi, configured), await start(kimi, configured)];
    const older = processA.credentials.replace(configured.accessToken, neverAborts);
    await advance(second);
    const newer = processB.credentials
      .replace(configured.accessToken, neverAborts)
      .then((token) => processB.credentials.replace(token, neverAborts));
    await advance(second);
    const late = processA.credentials.confirm(await older);
    await advance(second);
    await late;
    expect((await (await openAccountStore()).findCredentials("me"))?.current.accessToken).toBe(await newer);
    expect(await newer).not.toBe(await older);
  });

  test("does not refresh an access token that is still valid while the store fails", async () => {
    const kimi = new FakeKimiAccount();
    let storeFault: StoreFault | undefined;
    const process = await start(kimi, kimi.issueTokens(), () => storeFault);
    storeFault = "locked";
    await advance(14 * minute);
    expect(await process.request()).toBe("answered");
    expect(kimi.attempts).toBe(0);
    storeFault = undefined;
    await advance(80 * second);
    expect(kimi.refreshes).toBe(1);
  });

  test("stores a pair later if the disk was full", async () => {
    const kimi = new FakeKimiAccount();
    let storeFault: StoreFault | undefined = "full";
    const process = await start(kimi, kimi.issueTokens({ accessSeconds: 0 }), () => storeFault);
    const request = process.request();
    await advance(second);
    expect(await request).toBe("answered");
    expect(await (await openAccountStore()).findCredentials("me")).toBeUndefined();
    storeFault = undefined;
    await advance(80 * second);
    expect((await (await openAccountStore()).findCredentials("me"))?.current.accessToken).toBe(
      await process.credentials.accessToken(neverAborts),
    );
  });

  test("stores a pair at shutdown if the disk was full before", async () => {
    const kimi = new FakeKimiAccount();
    let storeFault: StoreFault | undefined = "full";
    const process = await start(kimi, kimi.issueTokens({ accessSeconds: 0 }), () => storeFault);
    void process.request();
    await advance(second);
    storeFault = undefined;
    await advanceUntilDone(process.stop());
    expect(await (await openAccountStore()).findCredentials("me")).toBeDefined();
  });

  test("waits at shutdown for a refresh that is running", async () => {
    const kimi = new FakeKimiAccount();
    const process = await start(kimi, kimi.issueTokens({ accessSeconds: 0 }));
    void process.request();
    await flushImmediates();
    await advanceUntilDone(process.stop());
    expect(kimi.refreshes).toBe(1);
    const { accessToken } = (await (await openAccountStore()).findCredentials("me"))?.current ?? {};
    expect(kimi.accepts(accessToken ?? "")).toBe(true);
  });
});
