import { expect, test } from "vitest";
import { apiKey, asking, type Gateway, post, startGateway, until } from "../../gateway.js";

async function look(gateway: Gateway, path = "/v1/accounts", key = apiKey) {
  const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}` } });
  return { status: response.status, text: await response.text() };
}

async function account(gateway: Gateway) {
  return JSON.parse((await look(gateway)).text).data[0];
}

test("tells state, expiry, quota and queue of each account, and no token", async () => {
  const gateway = await startGateway();
  expect(await account(gateway)).toEqual({
    id: "me",
    object: "account",
    kind: "kimi-web",
    simulated: false,
    state: "ok",
    detail: expect.any(String),
    until: null,
    expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    failing: false,
    queue: { running: 0, waiting: 0 },
    quota: [
      { name: "subscription", used: 0.0319, resets_at: expect.any(String) },
      { name: "5 hours", used: 0.1, resets_at: expect.any(String) },
      { name: "7 days", used: 0, resets_at: expect.any(String) },
    ],
  });
  expect((await look(gateway)).text).not.toMatch(/eyJ/);
});

test("an account that answers others is busy, one that Kimi limits says until when, one without quota so", async () => {
  const gateway = await startGateway({ concurrency: 1 });
  const first = post(gateway, asking("sim:slow=20 sim:repeat=60"));
  await until(() => gateway.simulator.counts().openStreams === 1);
  const second = post(gateway, asking("hello"));
  await until(() => gateway.log().some(({ msg }) => msg === "a request waits for its turn"));
  expect(await account(gateway)).toMatchObject({ state: "busy", queue: { running: 1, waiting: 1 } });
  await Promise.all([first, second]);

  gateway.simulator.fault({ kind: "http", status: 429, retryAfter: 1 });
  await post(gateway, asking("hello"));
  const limited = await account(gateway);
  expect(limited.state).toBe("limited");
  expect(Date.parse(limited.until)).toBeGreaterThan(Date.now() - 1_000);

  gateway.simulator.fault({ kind: "error", code: "resource_exhausted", paywall: true });
  expect((await post(gateway, asking("hello"))).status).toBe(429);
  expect((await account(gateway)).state).toBe("quota");
  expect((await look(gateway, "/readyz")).status).toBe(503);
  expect((await post(gateway, asking("hello"))).status).toBe(200);
  expect((await account(gateway)).state).toBe("ok");
});

test("a login that is refused is told with its remedy, and hides no other account", async () => {
  const gateway = await startGateway({
    upstreams: (simulator) => [
      {
        name: "other",
        kind: "kimi-web",
        baseUrl: simulator.url,
        authUrl: simulator.url,
        accessToken: "CANARY",
      },
    ],
  });
  await post(gateway, asking("hello"));
  const { data } = JSON.parse((await look(gateway)).text);
  expect(data.map(({ id, quota }: { id: string; quota: unknown }) => [id, Array.isArray(quota)])).toEqual([
    ["me", true],
    ["other", false],
  ]);
  expect(data[1].quota).toEqual({ error: "account_login_required" });
});

test("is for keys with the admin scope", async () => {
  const gateway = await startGateway({
    keys: [{ name: "chatter", key: "sk-CANARY-chatter", scopes: ["chat"] }],
  });
  for (const path of ["/v1/accounts", "/metrics"]) {
    expect((await look(gateway, path, "sk-CANARY-chatter")).status).toBe(403);
    expect((await fetch(gateway.url + path)).status).toBe(401);
  }
});
