import { describe, expect, test } from "vitest";
import { openStore } from "../../src/store/open-store.js";
import {
  apiKey,
  chatBody,
  contentOf,
  type Gateway,
  type GatewayOptions,
  parseChunks,
  postChat,
  startGateway,
} from "../gateway.js";

const asAdmin = { headers: { authorization: `Bearer ${apiKey}` } };

/** The credentials as another process reads them from the same database. */
async function storedCredentials(gateway: Gateway) {
  const otherStore = await openStore({
    store: { kind: "sqlite", path: gateway.storePath },
    encryptionKeys: [],
  });
  const credentials = await otherStore.findCredentials("me");
  await otherStore.close();
  return credentials;
}

describe("an expired access token", () => {
  test("a hundred concurrent requests cause exactly one refresh, and all are answered", async () => {
    const gateway = await startGateway();
    gateway.simulator.expireAccessTokens();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        postChat(gateway, chatBody(`CANARY sim:say=${n}`, { stream: n % 2 === 0 })),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    await Promise.all(answers.map((answer) => answer.text()));
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test("a token whose exp claim has passed is refreshed before it is sent", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
    expect(gateway.simulator.counts().refreshes).toBe(1);
    expect(gateway.simulator.counts().chats).toBe(1);
  });

  test("a token that Kimi refuses is refreshed once and the request repeated before the first byte of the response", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "expired" });
    const chunks = parseChunks(
      await (await postChat(gateway, chatBody("sim:say=once", { stream: true }))).text(),
    );
    expect(contentOf(chunks)).toBe("once");
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test("a token that Kimi refuses again after its refresh is an error, without further refreshes", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "expired" }, 10);
    const response = await postChat(gateway, chatBody("hello"));
    expect(response.status).toBe(424);
    expect(await response.json()).toMatchObject({ error: { code: "account_login_required" } });
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test.each([
    { kind: "http", status: 403 } as const,
    { kind: "http", status: 429 } as const,
    { kind: "error", code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" } as const,
    { kind: "error", code: "resource_exhausted" } as const,
  ])("$kind $status$code does not cause a refresh", async (fault) => {
    // With a short waiting time, requests during the back-off fail instead of waiting for it.
    const gateway = await startGateway({ queue: { waitSeconds: 1 } });
    gateway.simulator.fault(fault, 3);
    for (let n = 0; n < 3; n++) expect((await postChat(gateway, chatBody("hello"))).ok).toBe(false);
    expect(gateway.simulator.counts().refreshes).toBe(0);
  });

  test("the previous pair is deleted once the new one has worked, also in a unary call", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    await gateway.client.models.list();
    await expect.poll(() => storedCredentials(gateway)).toMatchObject({ startedFrom: expect.any(String) });
    await expect.poll(() => storedCredentials(gateway)).not.toHaveProperty("previous");
  });

  test("the refreshed pair is stored before the first answer that uses it", async () => {
    const gateway = await startGateway();
    const before = gateway.simulator.issue();
    gateway.simulator.expireAccessTokens();
    const response = await postChat(gateway, chatBody("hello", { stream: true }));
    const { current } = (await storedCredentials(gateway)) ?? {};
    expect(current).toEqual({ accessToken: expect.any(String), refreshToken: expect.any(String) });
    expect(current).not.toMatchObject({ accessToken: before.accessToken });
    await response.text();
  });
});

describe("a token with eight minutes left", () => {
  const tokens: GatewayOptions["tokens"] = (simulator) => simulator.issue({ ageSeconds: 420 });

  test.each([
    ["kimi-web", "kimi", 0],
    ["kimi-web", "kimi-thinking", 1],
    ["kimi-web", "k3-agent", 1],
    ["kimi-legacy", "kimi", 0],
    ["kimi-legacy", "kimi-k1", 1],
    ["kimi-legacy", "kimi-research-search", 1],
  ] as const)(
    "over %s, with the model %s, is refreshed %i times before the turn",
    async (kind, model, times) => {
      const gateway = await startGateway({ kind, tokens });
      expect((await postChat(gateway, chatBody("hello", { model }))).status).toBe(200);
      const { refreshes, legacyRefreshes } = gateway.simulator.counts();
      expect(refreshes + legacyRefreshes).toBe(times);
    },
  );

  test("is used for a long turn while Kimi renews no token", async () => {
    const gateway = await startGateway({ tokens });
    gateway.simulator.faultRefresh({ status: 503 }, 9);
    expect((await postChat(gateway, chatBody("hello", { model: "kimi-thinking" }))).status).toBe(200);
  });
});

describe("a failed refresh", () => {
  test("a refused refresh token is account_login_required with instructions, and is not tried again", async () => {
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
      const response = await postChat(gateway, chatBody("hello", { stream: true }));
      expect(response.status).toBe(424);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(await response.json()).toMatchObject({
        error: {
          code: "account_login_required",
          message: expect.stringMatching(/Log in there, copy access_token/),
        },
      });
    }
    const attempts = gateway.simulator.calls.filter(({ path }) =>
      /RefreshToken|auth\/token\/refresh/.test(path),
    );
    expect(attempts.length).toBeLessThanOrEqual(2);
    const ready = await fetch(`${gateway.url}/readyz`, asAdmin);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ upstreams: [{ state: "login required" }] });
  });

  test("new credentials from moonbridge login are used without a restart", async () => {
    const revoked: string[] = [];
    const gateway = await startGateway({
      tokens: (simulator) => {
        const pair = simulator.issue({ accessSeconds: 0 });
        revoked.push(pair.refreshToken);
        return pair;
      },
    });
    for (const token of revoked) gateway.simulator.revoke(token);
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(424);
    const otherStore = await openStore({
      store: { kind: "sqlite", path: gateway.storePath },
      encryptionKeys: [],
    });
    const current = gateway.simulator.issue();
    await otherStore.saveCredentials("me", { current, startedFrom: "login", savedAt: Date.now() });
    await otherStore.close();
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  });

  test("while Kimi is unavailable, /readyz reports the reason and the time of the next attempt", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    gateway.simulator.faultRefresh({ status: 503 }, 50);
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(503);
    const ready = await fetch(`${gateway.url}/readyz`, asAdmin);
    expect(ready.status).toBe(503);
    const { upstreams } = JSON.parse(await ready.text());
    expect(upstreams).toMatchObject([{ state: "unavailable", detail: expect.stringMatching(/too busy/) }]);
    expect(new Date(upstreams[0].until).toISOString()).toBe(upstreams[0].until);
  });

  test("a failing account gateway is a 502, and requests succeed when it has recovered", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    // Two failures: the model list goes first and works without tokens, the chat does not.
    gateway.simulator.faultRefresh({ status: 500 }, 2);
    const first = await postChat(gateway, chatBody("hello"));
    expect(first.status).toBe(502);
    expect(await first.json()).toMatchObject({ error: { code: "upstream_unavailable" } });
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
  });

  test("a lost refresh response is one error; the old token still works within its grace period", async () => {
    const gateway = await startGateway({ tokens: (simulator) => simulator.issue({ accessSeconds: 0 }) });
    gateway.simulator.faultRefresh("drop", 2);
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(502);
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
  });

  test("a token that only the legacy endpoint accepts is refreshed there", async () => {
    const gateway = await startGateway({
      tokens: (simulator) => simulator.issue({ accessSeconds: 0, legacyOnly: true }),
    });
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
    expect(gateway.simulator.counts().legacyRefreshes).toBe(1);
  });
});
