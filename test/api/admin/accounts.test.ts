import { expect, test } from "vitest";
import { apiKey, chatBody, type Gateway, postChat, startGateway, waitUntil } from "../../gateway.js";

async function get(gateway: Gateway, path = "/v1/accounts", key = apiKey) {
  const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}` } });
  return { status: response.status, text: await response.text() };
}

async function firstAccount(gateway: Gateway) {
  return JSON.parse((await get(gateway)).text).data[0];
}

test("lists state, expiry, quota and queue of each account, and no token", async () => {
  const gateway = await startGateway();
  expect(await firstAccount(gateway)).toEqual({
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
    capabilities: expect.any(Array),
    quota: [
      { name: "subscription", used: 0.0319, resets_at: expect.any(String) },
      { name: "5 hours", used: 0.1, resets_at: expect.any(String) },
      { name: "7 days", used: 0, resets_at: expect.any(String) },
    ],
  });
  expect((await get(gateway)).text).not.toMatch(/eyJ/);
});

test("states: busy with waiting requests, limited until a time, quota used up, ok again", async () => {
  const gateway = await startGateway({ concurrency: 1 });
  const first = postChat(gateway, chatBody("sim:slow=20 sim:repeat=60"));
  await waitUntil(() => gateway.simulator.counts().openStreams === 1);
  const second = postChat(gateway, chatBody("hello"));
  await waitUntil(() => gateway.logEntries().some(({ msg }) => msg === "a request waits for its turn"));
  expect(await firstAccount(gateway)).toMatchObject({ state: "busy", queue: { running: 1, waiting: 1 } });
  await Promise.all([first, second]);

  gateway.simulator.fault({ kind: "http", status: 429, retryAfter: 1 });
  await postChat(gateway, chatBody("hello"));
  const limited = await firstAccount(gateway);
  expect(limited.state).toBe("limited");
  expect(Date.parse(limited.until)).toBeGreaterThan(Date.now() - 1_000);

  gateway.simulator.fault({ kind: "error", code: "resource_exhausted", paywall: true });
  expect((await postChat(gateway, chatBody("hello"))).status).toBe(429);
  expect((await firstAccount(gateway)).state).toBe("quota");
  expect((await get(gateway, "/readyz")).status).toBe(503);
  expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
  expect((await firstAccount(gateway)).state).toBe("ok");
});

test("an account that must log in has an error as its quota, and the other accounts are still listed", async () => {
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
  await postChat(gateway, chatBody("hello"));
  const { data } = JSON.parse((await get(gateway)).text);
  expect(data.map(({ id, quota }: { id: string; quota: unknown }) => [id, Array.isArray(quota)])).toEqual([
    ["me", true],
    ["other", false],
  ]);
  expect(data[1].quota).toEqual({ error: "account_login_required" });
});

test("requires the admin scope", async () => {
  const gateway = await startGateway({
    keys: [{ name: "chatter", key: "sk-CANARY-chatter", scopes: ["chat"] }],
  });
  for (const path of ["/v1/accounts", "/metrics"]) {
    expect((await get(gateway, path, "sk-CANARY-chatter")).status).toBe(403);
    expect((await fetch(gateway.url + path)).status).toBe(401);
  }
});
