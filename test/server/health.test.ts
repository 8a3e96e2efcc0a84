import { describe, expect, test } from "vitest";
import { apiKey, startGateway } from "../gateway.js";

const chatKey = "sk-CANARY-chat";

async function startGatewayWithChatKey() {
  const gateway = await startGateway({ keys: [{ name: "chatter", key: chatKey, scopes: ["chat"] }] });
  const ready = async (headers: Record<string, string> = {}) => {
    const response = await fetch(`${gateway.url}/readyz`, { headers });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  return { gateway, ready };
}

describe("GET /readyz", () => {
  test("tells its status alone without a key, to a web page as well, and to a key without the scope admin", async () => {
    const { ready } = await startGatewayWithChatKey();
    const statusOnly = { status: 200, body: { status: "ready" } };
    expect(await ready()).toEqual(statusOnly);
    expect(await ready({ origin: "https://any.example" })).toEqual(statusOnly);
    expect(await ready({ authorization: `Bearer ${chatKey}` })).toEqual(statusOnly);
  });

  test("tells its status alone while it is not ready", async () => {
    const gateway = await startGateway({ tokens: () => ({ accessToken: "CANARY" }) });
    await gateway.client.chat.completions
      .create({ model: "kimi", messages: [{ role: "user", content: "hello" }] })
      .catch(() => {});
    const response = await fetch(`${gateway.url}/readyz`);
    expect([response.status, await response.json()]).toEqual([503, { status: "not ready" }]);
  });

  test("tells a key with the scope admin the state of each upstream", async () => {
    const { ready } = await startGatewayWithChatKey();
    for (const headers of [{ authorization: `Bearer ${apiKey}` }, { "x-api-key": apiKey }])
      expect(await ready(headers)).toMatchObject({
        status: 200,
        body: { status: "ready", upstreams: [{ upstream: "me", simulated: false, state: "ok" }] },
      });
  });

  test("refuses a wrong key", async () => {
    const { ready } = await startGatewayWithChatKey();
    expect(await ready({ authorization: "Bearer sk-wrong" })).toMatchObject({
      status: 401,
      body: { error: { code: "invalid_api_key" } },
    });
  });
});

test("GET / and /healthz name no upstream", async () => {
  const { gateway } = await startGatewayWithChatKey();
  const body = async (path: string) => (await fetch(gateway.url + path)).json();
  expect(await body("/")).toEqual({
    name: "moonbridge",
    version: expect.any(String),
    docs: "/docs",
    simulated: false,
  });
  expect(await body("/healthz")).toEqual({ status: "ok" });
});
