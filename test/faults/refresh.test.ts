import { describe, expect, test } from "vitest";
import { SqliteStore } from "../../src/store/sqlite/store.js";
import { asking, chunksOf, type Gateway, post, startGateway, textOf } from "../gateway.js";

/** What another process on the same file sees. */
async function stored(gateway: Gateway) {
  const other = await SqliteStore.open(gateway.statePath);
  const credentials = await other.credentials("me");
  await other.close();
  return credentials;
}

describe("an expired access token", () => {
  test("a hundred requests at once make exactly one refresh, and all are answered", async () => {
    const gateway = await startGateway();
    gateway.simulator.expireAccessTokens();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        post(gateway, asking(`CANARY sim:say=${n}`, { stream: n % 2 === 0 })),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    await Promise.all(answers.map((answer) => answer.text()));
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test("a token that is expired by its own words is renewed before it is sent", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    expect((await post(gateway, asking("hello"))).status).toBe(200);
    expect(gateway.simulator.counts().refreshes).toBe(1);
    expect(gateway.simulator.counts().chats).toBe(1);
  });

  test("a token that Kimi stops accepting is renewed once and the turn repeated, before the first byte", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "expired" });
    const chunks = chunksOf(await (await post(gateway, asking("sim:say=once", { stream: true }))).text());
    expect(textOf(chunks)).toBe("once");
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test("a token that Kimi refuses again after its renewal ends in an error, not in a loop", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "expired" }, 10);
    const response = await post(gateway, asking("hello"));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "account_login_required" } });
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test.each([
    { kind: "http", status: 403 } as const,
    { kind: "http", status: 429 } as const,
    { kind: "error", code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" } as const,
    { kind: "error", code: "resource_exhausted" } as const,
  ])("$kind $status$code is no reason to refresh", async (fault) => {
    // Who may not wait is told at once that the account is left alone.
    const gateway = await startGateway({ queue: { waitSeconds: 1 } });
    gateway.simulator.fault(fault, 3);
    for (let n = 0; n < 3; n++) expect((await post(gateway, asking("hello"))).ok).toBe(false);
    expect(gateway.simulator.counts().refreshes).toBe(0);
  });

  test("the pair before is forgotten once the new one has worked, in a short call too", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    await gateway.client.models.list();
    await expect.poll(() => stored(gateway)).toMatchObject({ startedFrom: expect.any(String) });
    await expect.poll(() => stored(gateway)).not.toHaveProperty("previous");
  });

  test("the refreshed pair is on disk before the first answer that uses it", async () => {
    const gateway = await startGateway();
    const before = gateway.simulator.issue();
    gateway.simulator.expireAccessTokens();
    const response = await post(gateway, asking("hello", { stream: true }));
    const { current } = (await stored(gateway)) ?? {};
    expect(current).toEqual({ accessToken: expect.any(String), refreshToken: expect.any(String) });
    expect(current).not.toMatchObject({ accessToken: before.accessToken });
    await response.text();
  });
});

describe("a refresh that does not work", () => {
  test("a refused one is account_login_required with the remedy, and is not hammered", async () => {
    const tokens: string[] = [];
    const gateway = await startGateway({
      tokens: (simulator) => {
        const pair = simulator.issue({ accessSeconds: 0 });
        tokens.push(pair.refreshToken);
        return pair;
      },
    });
    for (const token of tokens) gateway.simulator.revoke(token);
    for (let n = 0; n < 20; n++) {
      const response = await post(gateway, asking("hello", { stream: true }));
      expect(response.status).toBe(503);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(await response.json()).toMatchObject({
        error: {
          code: "account_login_required",
          message: expect.stringMatching(/Log in there, copy access_token/),
        },
      });
    }
    const tries = gateway.simulator.calls.filter(({ path }) =>
      /RefreshToken|auth\/token\/refresh/.test(path),
    );
    expect(tries.length).toBeLessThanOrEqual(2);
    const ready = await fetch(`${gateway.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ upstreams: [{ state: "login required" }] });
  });

  test("moonbridge login heals a dead one without a restart", async () => {
    const dead: string[] = [];
    const gateway = await startGateway({
      tokens: (simulator) => {
        const pair = simulator.issue({ accessSeconds: 0 });
        dead.push(pair.refreshToken);
        return pair;
      },
    });
    for (const token of dead) gateway.simulator.revoke(token);
    expect((await post(gateway, asking("hello"))).status).toBe(503);
    const other = await SqliteStore.open(gateway.statePath);
    const current = gateway.simulator.issue();
    await other.saveCredentials("me", { current, startedFrom: "login", savedAt: Date.now() });
    await other.close();
    expect((await post(gateway, asking("hello"))).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  });

  test("while Kimi cannot be reached, /readyz says why and when it is tried again", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    gateway.simulator.faultRefresh({ status: 503 }, 50);
    expect((await post(gateway, asking("hello"))).status).toBe(503);
    const ready = await fetch(`${gateway.url}/readyz`);
    expect(ready.status).toBe(503);
    const { upstreams } = JSON.parse(await ready.text());
    expect(upstreams).toMatchObject([{ state: "unavailable", detail: expect.stringMatching(/too busy/) }]);
    expect(new Date(upstreams[0].until).toISOString()).toBe(upstreams[0].until);
  });

  test("a broken gateway is a 5xx that may be tried again, and works when it is back", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    // The catalogue asks first and makes do without; the chat cannot.
    gateway.simulator.faultRefresh({ status: 500 }, 2);
    const first = await post(gateway, asking("hello"));
    expect(first.status).toBe(502);
    expect(await first.json()).toMatchObject({ error: { code: "upstream_unavailable" } });
    expect((await post(gateway, asking("hello"))).status).toBe(200);
  });

  test("an answer that was lost on the way costs one error; the old token still works in its grace", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    gateway.simulator.faultRefresh("drop", 2);
    expect((await post(gateway, asking("hello"))).status).toBe(502);
    expect((await post(gateway, asking("hello"))).status).toBe(200);
  });

  test("a token that only the legacy endpoint knows is renewed there", async () => {
    const gateway = await startGateway({
      tokens: (simulator) => simulator.issue({ accessSeconds: 0, legacyOnly: true }),
    });
    expect((await post(gateway, asking("hello"))).status).toBe(200);
    expect(gateway.simulator.counts().legacyRefreshes).toBe(1);
  });
});
