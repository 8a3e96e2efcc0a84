import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { KeyConfig } from "../../../src/config/key-schema.js";
import { createKey } from "../../../src/server/auth/api-keys.js";
import { asking, chunksOf, type Gateway, post, startGateway, until } from "../../gateway.js";

const key = "sk-CANARY-limited";
const authorization = `Bearer ${key}`;

function gatewayFor(settings: Omit<KeyConfig, "name" | "key">): Promise<Gateway> {
  return startGateway({
    keys: [{ name: "limited", key, ...settings }],
    upstreams: () => [{ name: "try-me", kind: "simulator" }],
  });
}

const ask = (gateway: Gateway, more: Record<string, unknown> = {}, bearer = key) =>
  post(gateway, asking("hello", more), { headers: { authorization: `Bearer ${bearer}` } });

const list = (gateway: Gateway, path = "") =>
  fetch(`${gateway.url}/v1/models${path}`, { headers: { authorization } });

async function errorOf(response: Response) {
  const { error }: { error: { message: string; code: string; type: string } } = JSON.parse(
    await response.text(),
  );
  return { status: response.status, ...error };
}

describe("scopes", () => {
  test("a key of the config may chat", async () => {
    const gateway = await gatewayFor({});
    expect((await ask(gateway)).status).toBe(200);
  });

  test("a key without the scope is told so, and nothing reaches Kimi", async () => {
    const gateway = await gatewayFor({ scopes: ["admin"] });
    const response = await ask(gateway);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await errorOf(response)).toMatchObject({
      status: 403,
      code: "insufficient_scope",
      message: expect.stringMatching(/“chat”/),
    });
    expect(gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat"))).toEqual([]);
    expect((await list(gateway)).status).toBe(200);
  });
});

describe("models", () => {
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
  ])("with %j, %s is a %i", async (models, model, status) => {
    const gateway = await gatewayFor({ models });
    expect((await ask(gateway, { model })).status).toBe(status);
  });

  test("the refusal says what the key may use", async () => {
    const gateway = await gatewayFor({ models: ["kimi", "k3-agent"] });
    expect(await errorOf(await ask(gateway, { model: "k2d6-chat" }))).toMatchObject({
      code: "model_not_found",
      message: "This key may use kimi, k3-agent. “k2d6-chat” is not among them.",
    });
  });

  test("only those are listed", async () => {
    const gateway = await gatewayFor({ models: ["kimi", "k3-agent"] });
    const { data }: { data: { id: string }[] } = JSON.parse(await (await list(gateway)).text());
    const ids = data.map(({ id }) => id);
    expect(ids).toEqual(["kimi", "kimi-thinking", "kimi-search", "kimi-nosearch", "kimi-silent", "k3-agent"]);
    expect((await list(gateway, "/k3-agent")).status).toBe(200);
    expect((await list(gateway, "/k2d6-chat")).status).toBe(404);
  });
});

describe("upstreams", () => {
  test("only those of the key answer and are listed", async () => {
    const gateway = await gatewayFor({ upstreams: ["try-me"] });
    expect((await ask(gateway)).headers.get("x-moonbridge-upstream")).toBe("try-me");
    const { data }: { data: { owned_by: string }[] } = JSON.parse(await (await list(gateway)).text());
    expect(new Set(data.map((model) => model.owned_by))).toEqual(new Set(["moonbridge-simulator"]));
    expect((await ask(gateway, {}, "sk-CANARY-key")).headers.get("x-moonbridge-upstream")).toBe("me");
  });

  test("a route past them leads nowhere", async () => {
    const gateway = await startGateway({
      keys: [{ name: "limited", key, upstreams: ["try-me"] }],
      upstreams: () => [{ name: "try-me", kind: "simulator" }],
      routes: { mine: ["me"], both: ["me", "try-me"] },
    });
    expect((await ask(gateway, { model: "mine" })).status).toBe(404);
    expect((await ask(gateway, { model: "both" })).headers.get("x-moonbridge-upstream")).toBe("try-me");
  });
});

describe("requests per minute", () => {
  test("beyond them a request is refused, with what is left on every answer", async () => {
    const gateway = await gatewayFor({ requestsPerMinute: 2 });
    const left = ({ headers }: Response) => headers.get("x-ratelimit-remaining-requests");
    const before = await list(gateway);
    expect(before.headers.get("x-ratelimit-limit-requests")).toBe("2");
    expect(before.headers.get("x-ratelimit-reset-requests")).toBe("0s");
    expect(left(before)).toBe("2");
    const stream = await ask(gateway, { stream: true });
    expect(left(stream)).toBe("1");
    expect(chunksOf(await stream.text()).length).toBeGreaterThan(1);
    expect(left(await ask(gateway))).toBe("0");

    const refused = await ask(gateway);
    expect(left(refused)).toBe("0");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("x-ratelimit-reset-requests")).toMatch(/^\d+s$/);
    expect(refused.headers.get("x-should-retry")).toBeNull();
    expect(await errorOf(refused)).toMatchObject({
      status: 429,
      code: "rate_limit_exceeded",
      type: "rate_limit_exceeded",
      message: expect.stringMatching(/Moonbridge's own limit for this key.*requestsPerMinute: 2/),
    });
    expect(gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat")).length).toBe(2);
  });

  test("cost nobody else anything, and neither lists nor preflights count", async () => {
    const gateway = await gatewayFor({ requestsPerMinute: 1 });
    await list(gateway);
    await list(gateway, "/kimi");
    await fetch(`${gateway.url}/v1/chat/completions`, { method: "OPTIONS" });
    expect((await ask(gateway)).status).toBe(200);
    expect((await ask(gateway)).status).toBe(429);
    expect((await list(gateway)).status).toBe(200);
    const other = await ask(gateway, {}, "sk-CANARY-key");
    expect(other.status).toBe(200);
    expect(other.headers.get("x-ratelimit-limit-requests")).toBeNull();
  });
});

describe("concurrency", () => {
  const endless = { stream: true, messages: [{ role: "user", content: "sim:slow=20 sim:repeat=5000" }] };

  test("one more is refused until one of them has ended or left", async () => {
    const gateway = await gatewayFor({ concurrency: 2 });
    const [first, second] = [await ask(gateway, endless), await ask(gateway, endless)];
    const refused = await ask(gateway);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await errorOf(refused)).toMatchObject({
      status: 429,
      code: "rate_limit_exceeded",
      message: expect.stringMatching(/Moonbridge's own limit for this key.*concurrency: 2/),
    });
    expect((await list(gateway)).status).toBe(200);
    await first.body?.cancel();
    let response = await ask(gateway);
    while (response.status === 429) {
      await setTimeout(5);
      response = await ask(gateway);
    }
    expect(response.status).toBe(200);
    // A refused request gives nothing back that it has not taken.
    const third = await ask(gateway, endless);
    expect((await ask(gateway)).status).toBe(429);
    for (const stream of [second, third]) await stream.body?.cancel();
  });

  test("a refusal of the request itself frees its place as well", async () => {
    const gateway = await gatewayFor({ concurrency: 1 });
    for (let n = 0; n < 3; n++) expect((await ask(gateway, { messages: [] })).status).toBe(400);
    expect((await ask(gateway)).status).toBe(200);
  });
});

describe("an end", () => {
  test("a key that has expired opens nothing and says so", async () => {
    const gateway = await gatewayFor({ expires: "2026-01-31" });
    for (const response of [await ask(gateway), await list(gateway)]) {
      expect(await errorOf(response)).toMatchObject({
        status: 401,
        code: "invalid_api_key",
        message: "This API key expired at 2026-02-01T00:00Z. Use another one.",
      });
    }
  });

  test("a day counts to its end", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    expect((await list(await gatewayFor({ expires: today }))).status).toBe(200);
    expect((await list(await gatewayFor({ expires: yesterday }))).status).toBe(401);
  });
});

describe("keys of the store", () => {
  test("open the server from the moment they are added to the one they are revoked", async () => {
    const gateway = await startGateway();
    const { key: made, stored } = createKey("phone", {
      scopes: ["chat"],
      models: ["kimi"],
      requestsPerMinute: 5,
    });
    expect((await ask(gateway, {}, made)).status).toBe(401);
    await gateway.store.addKey(stored);
    const response = await ask(gateway, {}, made);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("4");
    expect((await ask(gateway, { model: "k3-agent" }, made)).status).toBe(404);
    await until(() => gateway.log().some((line) => line.key === "phone"));
    await gateway.store.removeKey("phone");
    expect((await ask(gateway, {}, made)).status).toBe(401);
  });

  test("a stream that runs is not cut by revoking its key", async () => {
    const gateway = await startGateway();
    const { key: made, stored } = createKey("phone", { scopes: ["chat"] });
    await gateway.store.addKey(stored);
    const response = await post(gateway, asking("sim:slow=20 sim:repeat=20", { stream: true }), {
      headers: { authorization: `Bearer ${made}` },
    });
    await gateway.store.removeKey("phone");
    expect(chunksOf(await response.text()).at(-1)?.choices[0]?.finish_reason).toBe("stop");
  });

  test("two keys of one settlement do not share their limits", async () => {
    const gateway = await startGateway();
    const keys = ["a", "b"].map((name) => createKey(name, { scopes: ["chat"], requestsPerMinute: 1 }));
    for (const { key, stored } of keys) {
      await gateway.store.addKey(stored);
      expect((await ask(gateway, {}, key)).status).toBe(200);
      expect((await ask(gateway, {}, key)).status).toBe(429);
    }
  });
});

describe("a key in the address", () => {
  test.each(["key", "token", "access_token", "api_key", "apikey"])(
    "?%s= is not read, and says so",
    async (name) => {
      const gateway = await startGateway();
      const response = await fetch(`${gateway.url}/v1/models?${name}=sk-CANARY-key`);
      expect(await errorOf(response)).toMatchObject({
        status: 401,
        message: expect.stringMatching(/^A key in an address is not read/),
      });
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="moonbridge"');
    },
  );

  test("does not disturb the one in its place", async () => {
    const gateway = await gatewayFor({});
    expect((await list(gateway, "?key=other")).status).toBe(200);
  });
});
