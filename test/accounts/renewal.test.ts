import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { TokenPair } from "../../src/core/token.js";
import { SqliteStore } from "../../src/store/sqlite/store.js";
import { type Ailment, KimiAccount, Process } from "./kimi-account.js";
import { pass, settled, startVirtualTime, untilDone } from "./virtual-time.js";

vi.mock("node:timers/promises", async () => (await import("./virtual-time.js")).timersPromises);

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const never = new AbortController().signal;

let path = "";
beforeEach(() => {
  startVirtualTime();
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-renewal-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  path = join(folder, "moonbridge.db");
});

async function start(kimi: KimiAccount, configured: TokenPair, ailment?: () => Ailment | undefined) {
  const process = await Process.start(kimi, path, configured, ailment);
  onTestFinished(() => process.kill());
  return process;
}

/** Another look at what is stored, or another hand that writes it. */
async function store(): Promise<SqliteStore> {
  const store = await SqliteStore.open(path);
  onTestFinished(() => store.close());
  return store;
}

/** What `moonbridge login` does. */
async function logIn(current: TokenPair): Promise<void> {
  await (await store()).saveCredentials("me", { current, startedFrom: "login", savedAt: Date.now() });
}

describe("time passes", () => {
  test("a login in use is renewed at about four fifths of its life, though nobody asks just then", async () => {
    const kimi = new KimiAccount();
    const process = await start(kimi, kimi.login());
    expect(await process.ask()).toBe("answered");
    await pass(11.5 * minute);
    expect(kimi.refreshes).toBe(0);
    await pass(1.5 * minute);
    expect(kimi.refreshes).toBe(1);
  });

  test("a login that nobody uses is renewed once a day, and outlives the 90 days of its refresh token", async () => {
    const kimi = new KimiAccount();
    const process = await start(kimi, kimi.login());
    for (let time = 0; time < 95 * day; time += 6 * hour) {
      vi.setSystemTime(Date.now() + 6 * hour - 20 * second);
      await pass(20 * second);
    }
    expect(kimi.refreshes).toBeGreaterThanOrEqual(75);
    expect(kimi.refreshes).toBeLessThanOrEqual(96);
    const asked = process.ask();
    await pass(second);
    expect(await asked).toBe("answered");
  });

  test("a renewal that takes long keeps its lock, and the other process waits for it", async () => {
    const kimi = new KimiAccount();
    kimi.latency = 40 * second;
    const configured = kimi.login({ accessSeconds: 0 });
    const both = [await start(kimi, configured), await start(kimi, configured)];
    const asked = Promise.all(both.map((process) => process.ask()));
    await pass(45 * second);
    expect(await asked).toEqual(["answered", "answered"]);
    expect(kimi.refreshes).toBe(1);
  });

  test("a process that is killed while it renews holds up the next one for seconds only", async () => {
    const kimi = new KimiAccount();
    const configured = kimi.login({ accessSeconds: 0 });
    const first = await start(kimi, configured);
    void first.ask();
    await pass(100);
    await first.kill();
    const second = await start(kimi, configured);
    const asked = second.ask();
    await pass(6_000);
    expect(await asked).toBe("answered");
  });
});

describe("what fails", () => {
  test("an hour without Kimi: attempts are spaced, never two at once; the state says when, and it heals by itself", async () => {
    const kimi = new KimiAccount();
    const process = await start(kimi, kimi.login({ accessSeconds: 0 }));
    kimi.isUnreachable = true;
    const outcomes: unknown[] = [];
    for (let n = 0; n < 3_600; n++) {
      void process.ask().then((outcome) => outcomes.push(outcome));
      await pass(second);
    }
    expect(kimi.attempts).toBeGreaterThan(50);
    expect(kimi.attempts).toBeLessThan(140);
    expect(kimi.mostAtOnce).toBe(1);
    expect(outcomes.at(-1)).toMatchObject({
      code: "upstream_unavailable",
      message: "Kimi cannot be reached.",
    });
    // Whose question is itself the attempt that fails, or waits for it, is told no time.
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
    await pass(80 * second);
    expect(process.credentials.status().state).toBe("ok");
    expect(await process.ask()).toBe("answered");
  });

  test("a refused login is tried again ever more seldom, and heals if Kimi was wrong", async () => {
    const kimi = new KimiAccount();
    const process = await start(kimi, kimi.login({ accessSeconds: 0 }));
    kimi.troubles.push(...Array<"refused">(20).fill("refused"));
    for (let n = 0; n < 24 * 60; n++) {
      void process.ask();
      await pass(minute);
    }
    // Half a minute at first, up to an hour at last.
    expect(kimi.refreshes).toBeGreaterThan(20);
    expect(kimi.attempts).toBeLessThan(160);
    expect(process.credentials.status().state).toBe("ok");
  });

  test("a day with a dead login: a few dozen attempts, whoever asks", async () => {
    const kimi = new KimiAccount();
    const configured = kimi.login({ accessSeconds: 0 });
    kimi.revoke(configured.refreshToken);
    const process = await start(kimi, configured);
    for (let n = 0; n < 24 * 60; n++) {
      void process.ask();
      await pass(minute);
    }
    expect(kimi.attempts).toBeLessThan(60);
    expect(process.credentials.status()).toMatchObject({
      state: "login required",
      detail: expect.stringMatching(/Log in there/),
    });
  });

  test("an access token that Kimi refuses as soon as it has made it: one renewal in half a minute", async () => {
    const kimi = new KimiAccount();
    const process = await start(kimi, kimi.login());
    kimi.accepts = () => false;
    const outcomes: unknown[] = [];
    for (let n = 0; n < 300; n++) {
      void process.ask().then((outcome) => outcomes.push(outcome));
      await pass(second);
    }
    expect(kimi.refreshes).toBeLessThanOrEqual(11);
    expect(outcomes.at(-2)).toMatchObject({ code: "account_login_required" });
  });

  test("tokens that look expired however new they are: used as long as Kimi takes them", async () => {
    const kimi = new KimiAccount();
    const renew = kimi.renew;
    let made = 0;
    // Without the time they were made, nothing tells that our clock is an hour ahead.
    const claims = () => ({ exp: Math.floor(Date.now() / second) - 3_600, jti: made++ });
    const opaque = () => `e30.${Buffer.from(JSON.stringify(claims())).toString("base64url")}.x`;
    Object.assign(kimi, {
      renew: async () => ({
        ...Object(await renew("", never)),
        accessToken: opaque(),
        refreshToken: opaque(),
      }),
      accepts: () => true,
    });
    const process = await start(kimi, { refreshToken: opaque() });
    for (let n = 0; n < 600; n++) {
      void process.ask();
      await pass(second);
    }
    expect(made).toBeLessThan(50);
    expect(process.failures).toBe(0);
  });
});

describe("moonbridge login beside a running Moonbridge", () => {
  test("a dead login heals without a restart and without a request", async () => {
    const kimi = new KimiAccount();
    const configured = kimi.login({ accessSeconds: 0 });
    kimi.revoke(configured.refreshToken);
    const process = await start(kimi, configured);
    void process.ask();
    await pass(second);
    expect(process.credentials.status().state).toBe("login required");
    await logIn(kimi.login());
    await pass(16 * second);
    expect(process.credentials.status().state).toBe("ok");
    expect(await process.ask()).toBe("answered");
  });

  test("the next request takes it over at once, a refresh token alone too", async () => {
    const kimi = new KimiAccount();
    const configured = kimi.login({ accessSeconds: 0 });
    kimi.revoke(configured.refreshToken);
    const process = await start(kimi, configured);
    void process.ask();
    await pass(second);
    const { refreshToken } = kimi.login();
    await logIn({ refreshToken });
    const asked = process.ask();
    await pass(second);
    expect(await asked).toBe("answered");
    expect(process.credentials.status().state).toBe("ok");
  });

  test("without any refresh token, too", async () => {
    const kimi = new KimiAccount();
    const { accessToken } = kimi.login({ accessSeconds: 0 });
    const process = await start(kimi, { accessToken });
    expect(process.credentials.status().state).toBe("login required");
    await logIn(kimi.login());
    await pass(16 * second);
    expect(process.credentials.status().state).toBe("ok");
  });

  test("a login that comes in the middle of a renewal is not written over", async () => {
    const kimi = new KimiAccount();
    const process = await start(kimi, kimi.login({ accessSeconds: 0 }));
    const asked = process.ask();
    await pass(100);
    const brought = kimi.login({ user: "another" });
    await logIn(brought);
    await pass(second);
    expect(await asked).toBe("answered");
    expect((await (await store()).credentials("me"))?.current).toEqual(brought);
    expect(await process.credentials.accessToken(never)).toBe(brought.accessToken);
  });

  test("another user's login wins over older tokens in the config, for good; newer ones there win over it", async () => {
    const kimi = new KimiAccount();
    const configured = kimi.login();
    await pass(minute);
    const brought = kimi.login({ user: "another" });
    await logIn(brought);
    const process = await start(kimi, configured);
    const renewed = process.credentials.replace(brought.accessToken, never);
    await pass(second);
    await renewed;
    await process.stop();

    const again = await start(kimi, configured);
    expect(await again.credentials.accessToken(never)).toBe(await renewed);
    await again.stop();
    const pasted = kimi.login();
    const repasted = await start(kimi, pasted);
    expect(await repasted.credentials.accessToken(never)).toBe(pasted.accessToken);
  });

  test("where it is refused, another user's tokens in the config are not tried in its place", async () => {
    const kimi = new KimiAccount();
    const configured = kimi.login({ accessSeconds: 0 });
    await pass(minute);
    const brought = kimi.login({ user: "another", accessSeconds: 0 });
    kimi.revoke(brought.refreshToken);
    await logIn(brought);
    const process = await start(kimi, configured);
    const asked = process.ask();
    await pass(second);
    expect(await asked).toMatchObject({ code: "account_login_required" });
  });
});

describe("what is stored", () => {
  test("a process that learns late that its pair works leaves the newer one of another alone", async () => {
    const kimi = new KimiAccount();
    const configured = kimi.login();
    const [mine, yours] = [await start(kimi, configured), await start(kimi, configured)];
    const older = mine.credentials.replace(configured.accessToken, never);
    await pass(second);
    const newer = yours.credentials
      .replace(configured.accessToken, never)
      .then((token) => yours.credentials.replace(token, never));
    await pass(second);
    const late = mine.credentials.confirm(await older);
    await pass(second);
    await late;
    expect((await (await store()).credentials("me"))?.current.accessToken).toBe(await newer);
    expect(await newer).not.toBe(await older);
  });

  test("while the store fails, an access token that still serves is not renewed", async () => {
    const kimi = new KimiAccount();
    let ailment: Ailment | undefined;
    const process = await start(kimi, kimi.login(), () => ailment);
    ailment = "locked";
    await pass(14 * minute);
    expect(await process.ask()).toBe("answered");
    expect(kimi.attempts).toBe(0);
    ailment = undefined;
    await pass(80 * second);
    expect(kimi.refreshes).toBe(1);
  });

  test("a pair that found the disk full is stored once there is room", async () => {
    const kimi = new KimiAccount();
    let ailment: Ailment | undefined = "full";
    const process = await start(kimi, kimi.login({ accessSeconds: 0 }), () => ailment);
    const asked = process.ask();
    await pass(second);
    expect(await asked).toBe("answered");
    expect(await (await store()).credentials("me")).toBeUndefined();
    ailment = undefined;
    await pass(80 * second);
    expect((await (await store()).credentials("me"))?.current.accessToken).toBe(
      await process.credentials.accessToken(never),
    );
  });

  test("what the disk had no room for is stored at the end, if there is room by then", async () => {
    const kimi = new KimiAccount();
    let ailment: Ailment | undefined = "full";
    const process = await start(kimi, kimi.login({ accessSeconds: 0 }), () => ailment);
    void process.ask();
    await pass(second);
    ailment = undefined;
    await untilDone(process.stop());
    expect(await (await store()).credentials("me")).toBeDefined();
  });

  test("the end waits for a renewal that is under way", async () => {
    const kimi = new KimiAccount();
    const process = await start(kimi, kimi.login({ accessSeconds: 0 }));
    void process.ask();
    await settled();
    await untilDone(process.stop());
    expect(kimi.refreshes).toBe(1);
    const { accessToken } = (await (await store()).credentials("me"))?.current ?? {};
    expect(kimi.accepts(accessToken ?? "")).toBe(true);
  });
});
