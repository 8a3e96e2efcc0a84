import { describe, expect, test } from "vitest";
import type { KeyConfig } from "../../../src/config/key-schema.js";
import { createApiKey } from "../../../src/core/api-key.js";
import { chatBody, type Gateway, parseChunks, postChat, startGateway, waitUntil } from "../../gateway.js";

const key = "sk-CANARY-limited";
const authorization = `Bearer ${key}`;

function startGatewayWithKey(settings: Omit<KeyConfig, "name" | "key">): Promise<Gateway> {
  return startGateway({
    keys: [{ name: "limited", key, ...settings }],
    upstreams: () => [{ name: "try-me", kind: "simulator" }],
  });
}

const sendChat = (gateway: Gateway, more: Record<string, unknown> = {}, bearer = key) =>
  postChat(gateway, chatBody("hello", more), { headers: { authorization: `Bearer ${bearer}` } });

const listModels = (gateway: Gateway, path = "") =>
  fetch(`${gateway.url}/v1/models${path}`, { headers: { authorization } });

async function parseError(response: Response) {
  const { error }: { error: { message: string; code: string; type: string } } = JSON.parse(
    await response.text(),
  );
  return { status: response.status, ...error };
}

describe("scopes of an API key", () => {
  test("include chat by default for a key of the config", async () => {
    const gateway = await startGatewayWithKey({});
    expect((await sendChat(gateway)).status).toBe(200);
  });

  test("without chat lead to 403 for a chat, and no call to Kimi", async () => {
    const gateway = await startGatewayWithKey({ scopes: ["admin"] });
    const response = await sendChat(gateway);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await parseError(response)).toMatchObject({
      status: 403,
      code: "insufficient_scope",
      message: expect.stringMatching(/“chat”/),
    });
    expect(gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat"))).toEqual([]);
    expect((await listModels(gateway)).status).toBe(200);
  });
});

describe("models of an API key", () => {
  test.each<[string[], string, number]>([
    [["kimi"], "kimi", 200],
    [["kimi"], "kimi-thinking-silent", 200],
    [["kimi"], "moonshot-v1", 404],
    [["kimi"], "k2d6-chat", 404],
    [["k3-agent", "kimi"], "k3-agent-search", 200],
    [["kimi-silent"], "kimi", 404],
    [["kimi-silent"], "kimi-nosearch", 404],
    [["kimi-silent"], "kimi-nosearch-silent", 200],
    [["kimi"], "kimi-fast", 404],
    [["kim"], "kimi", 404],
    [["nothing"], "nothing", 404],
    [["*"], "k2d6-chat", 200],
    [["nothing", "*"], "moonshot-v1-search", 200],
    [["kimi"], " KIMI-Thinking ", 200],
    [["kimi"], "kimi-latest", 404],
    [["kimi-latest"], "Kimi-Latest", 200],
    [["kimi"], "me/kimi", 404],
    [["me/kimi"], "ME/kimi-search", 200],
    [["me/kimi"], "kimi", 404],
    [["me/kimi"], "try-me/kimi", 404],
  ])("%j make a request for %s a %i", async (models, model, status) => {
    const gateway = await startGatewayWithKey({ models });
    expect((await sendChat(gateway, { model })).status).toBe(status);
  });

  test("are named in the message of a refusal", async () => {
    const gateway = await startGatewayWithKey({ models: ["kimi", "k3-agent"] });
    expect(await parseError(await sendChat(gateway, { model: "k2d6-chat" }))).toMatchObject({
      code: "model_not_found",
      message: "This key may use kimi, k3-agent. “k2d6-chat” is not among them.",
    });
  });

  test("are the only ones that are listed", async () => {
    const gateway = await startGatewayWithKey({ models: ["kimi", "k3-agent"] });
    const { data }: { data: { id: string }[] } = JSON.parse(await (await listModels(gateway)).text());
    const ids = data.map(({ id }) => id);
    const suffixes = ["", "-thinking", "-search", "-nosearch", "-silent", "-vision"];
    expect(ids).toEqual(["kimi", "k3-agent"].flatMap((name) => suffixes.map((suffix) => name + suffix)));
    expect((await listModels(gateway, "/k3-agent")).status).toBe(200);
    expect((await listModels(gateway, "/k2d6-chat")).status).toBe(404);
  });

  test.each<[string[], string, Record<string, unknown>, number]>([
    [["kimi-nosearch"], "kimi-nosearch", {}, 200],
    [["kimi-nosearch"], "kimi-nosearch-thinking", { use_search: false }, 200],
    [["kimi-nosearch"], "kimi-nosearch", { use_search: true }, 404],
    [["kimi-nosearch"], "kimi-thinking-nosearch", { enable_search: true }, 404],
    [["kimi-nosearch"], "kimi-nosearch", { web_search_options: {} }, 404],
    [["kimi-nosearch"], "kimi-nosearch-search", {}, 200],
    [["kimi-nosearch"], "kimi-nosearch", { tools: [{ type: "web_search_preview" }] }, 404],
    [["kimi-nosearch", "kimi"], "kimi-nosearch", { use_search: true }, 200],
    [["*"], "kimi-nosearch", { use_search: true }, 200],
  ])(
    "%j: a request for %s with %j is a %i and searches only if the key may",
    async (models, model, more, status) => {
      const gateway = await startGatewayWithKey({ models });
      expect((await sendChat(gateway, { model, ...more })).status).toBe(status);
      const mayBeSearched = !models.every((name) => name.includes("nosearch"));
      const sent = gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat"));
      expect(sent.length).toBe(status === 200 ? 1 : 0);
      for (const { body } of sent)
        expect(body).toMatchObject({ tools: mayBeSearched ? [{ type: "TOOL_TYPE_SEARCH" }] : [] });
    },
  );
});

describe("upstreams of an API key", () => {
  test("are the only ones that answer and whose models are listed", async () => {
    const gateway = await startGatewayWithKey({ upstreams: ["try-me"] });
    expect((await sendChat(gateway)).headers.get("x-moonbridge-upstream")).toBe("try-me");
    const { data }: { data: { owned_by: string }[] } = JSON.parse(await (await listModels(gateway)).text());
    expect(new Set(data.map((model) => model.owned_by))).toEqual(new Set(["moonbridge-simulator"]));
    expect((await sendChat(gateway, {}, "sk-CANARY-key")).headers.get("x-moonbridge-upstream")).toBe("me");
  });

  test("limit the upstreams of a route", async () => {
    const gateway = await startGateway({
      keys: [{ name: "limited", key, upstreams: ["try-me"] }],
      upstreams: () => [{ name: "try-me", kind: "simulator" }],
      routes: { mine: ["me"], both: ["me", "try-me"] },
    });
    expect((await sendChat(gateway, { model: "mine" })).status).toBe(404);
    expect((await sendChat(gateway, { model: "both" })).headers.get("x-moonbridge-upstream")).toBe("try-me");
  });
});

describe("requests per minute of an API key", () => {
  test("are limited, and every response has headers with the remaining ones", async () => {
    const gateway = await startGatewayWithKey({ requestsPerMinute: 2 });
    const remaining = ({ headers }: Response) => headers.get("x-ratelimit-remaining-requests");
    const listing = await listModels(gateway);
    expect(listing.headers.get("x-ratelimit-limit-requests")).toBe("2");
    expect(listing.headers.get("x-ratelimit-reset-requests")).toBe("0s");
    expect(remaining(listing)).toBe("2");
    const stream = await sendChat(gateway, { stream: true });
    expect(remaining(stream)).toBe("1");
    expect(parseChunks(await stream.text()).length).toBeGreaterThan(1);
    expect(remaining(await sendChat(gateway))).toBe("0");

    const refused = await sendChat(gateway);
    expect(remaining(refused)).toBe("0");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("x-ratelimit-reset-requests")).toMatch(/^\d+s$/);
    expect(refused.headers.get("x-should-retry")).toBeNull();
    expect(await parseError(refused)).toMatchObject({
      status: 429,
      code: "rate_limit_exceeded",
      type: "rate_limit_exceeded",
      message: expect.stringMatching(/Moonbridge's own limit for this key.*requestsPerMinute: 2/),
    });
    expect(gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat")).length).toBe(2);
  });

  test("are not used up by lists or preflights, nor by other keys", async () => {
    const gateway = await startGatewayWithKey({ requestsPerMinute: 1 });
    await listModels(gateway);
    await listModels(gateway, "/kimi");
    await fetch(`${gateway.url}/v1/chat/completions`, { method: "OPTIONS" });
    expect((await sendChat(gateway)).status).toBe(200);
    expect((await sendChat(gateway)).status).toBe(429);
    expect((await listModels(gateway)).status).toBe(200);
    const other = await sendChat(gateway, {}, "sk-CANARY-key");
    expect(other.status).toBe(200);
    expect(other.headers.get("x-ratelimit-limit-requests")).toBeNull();
  });
});

describe("expiry of an API key", () => {
  test("refuses an expired key with a message that says so", async () => {
    const gateway = await startGatewayWithKey({ expires: "2026-01-31" });
    for (const response of [await sendChat(gateway), await listModels(gateway)]) {
      expect(await parseError(response)).toMatchObject({
        status: 401,
        code: "invalid_api_key",
        message: "This API key expired at 2026-02-01T00:00Z. Use another one.",
      });
    }
  });

  test("is at the end of the configured day", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    expect((await listModels(await startGatewayWithKey({ expires: today }))).status).toBe(200);
    expect((await listModels(await startGatewayWithKey({ expires: yesterday }))).status).toBe(401);
  });
});

describe("API keys of the store", () => {
  test("are valid from when they are added until they are revoked", async () => {
    const gateway = await startGateway();
    const { key: createdKey, stored } = createApiKey("phone", {
      scopes: ["chat"],
      models: ["kimi"],
      requestsPerMinute: 5,
    });
    expect((await sendChat(gateway, {}, createdKey)).status).toBe(401);
    await gateway.store.addKey(stored);
    const response = await sendChat(gateway, {}, createdKey);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("4");
    expect((await sendChat(gateway, { model: "k3-agent" }, createdKey)).status).toBe(404);
    await waitUntil(() => gateway.logEntries().some((line) => line.key === "phone"));
    await gateway.store.removeKey("phone");
    expect((await sendChat(gateway, {}, createdKey)).status).toBe(401);
  });

  test("can be revoked without ending a running stream", async () => {
    const gateway = await startGateway();
    const { key: createdKey, stored } = createApiKey("phone", { scopes: ["chat"] });
    await gateway.store.addKey(stored);
    const response = await postChat(gateway, chatBody("sim:slow=20 sim:repeat=20", { stream: true }), {
      headers: { authorization: `Bearer ${createdKey}` },
    });
    await gateway.store.removeKey("phone");
    expect(parseChunks(await response.text()).at(-1)?.choices[0]?.finish_reason).toBe("stop");
  });

  test("with the same settings do not share their limits", async () => {
    const gateway = await startGateway();
    const keys = ["a", "b"].map((name) => createApiKey(name, { scopes: ["chat"], requestsPerMinute: 1 }));
    for (const { key, stored } of keys) {
      await gateway.store.addKey(stored);
      expect((await sendChat(gateway, {}, key)).status).toBe(200);
      expect((await sendChat(gateway, {}, key)).status).toBe(429);
    }
  });
});

describe("a key in the URL", () => {
  test.each(["key", "token", "access_token", "api_key", "apikey"])(
    "as ?%s= is refused with a message that says so",
    async (name) => {
      const gateway = await startGateway();
      const response = await fetch(`${gateway.url}/v1/models?${name}=sk-CANARY-key`);
      expect(await parseError(response)).toMatchObject({
        status: 401,
        message: expect.stringMatching(/^A key in an address is not read/),
      });
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="moonbridge"');
    },
  );

  test("does not affect a key in the header", async () => {
    const gateway = await startGatewayWithKey({});
    expect((await listModels(gateway, "?key=other")).status).toBe(200);
  });
});
