import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import { sentTurns } from "../conversations/dialogue.js";
import { apiKey, type Gateway, type GatewayOptions, startGateway, waitUntil } from "../gateway.js";

const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const pdf = Buffer.from("%PDF-1.4\n% CANARY\n%%EOF\n").toString("base64");

function clientOf({ url }: Gateway): Anthropic {
  return new Anthropic({ apiKey, baseURL: url, maxRetries: 0 });
}

async function start(options?: GatewayOptions) {
  const gateway = await startGateway(options);
  return { gateway, client: clientOf(gateway) };
}

function ask(content: Anthropic.MessageParam["content"], more: Partial<Anthropic.MessageCreateParams> = {}) {
  return {
    model: "kimi",
    max_tokens: 4_096,
    messages: [{ role: "user" as const, content }],
    ...more,
    stream: false as const,
  };
}

/** The message of a request, put together from a stream or whole. */
function send(
  client: Anthropic,
  body: ReturnType<typeof ask>,
  isStreamed: boolean,
): Promise<Anthropic.Message> {
  const { stream: _, ...rest } = body;
  return isStreamed ? client.messages.stream(rest).finalMessage() : client.messages.create(body);
}

const weather: Anthropic.Tool = {
  name: "get_weather",
  description: "The weather in a city",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

const continued = (gateway: Gateway) => sentTurns(gateway).map(({ chatId }) => chatId !== undefined);

describe("Anthropic's client finds the models", () => {
  test("in pages, with names that Claude Code's discovery takes", async () => {
    const { client } = await start();
    const ids: string[] = [];
    for await (const { id, display_name, created_at, type } of client.models.list({ limit: 7 })) {
      ids.push(id);
      expect([type, display_name, created_at]).toEqual([
        "model",
        expect.stringMatching(/\w/),
        expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      ]);
    }
    const whole = await client.models.list();
    expect(ids).toEqual(whole.data.map(({ id }) => id));
    expect(whole.has_more).toBe(false);
    expect(ids.filter((id) => /claude|anthropic/i.test(id))).toEqual(["claude-kimi", "claude-kimi-thinking"]);
    const [, second, third] = ids;
    const before = await client.models.list({ limit: 1, before_id: third ?? "" });
    expect([before.data.map(({ id }) => id), before.has_more]).toEqual([[second], true]);
    expect(await client.models.retrieve("claude-kimi")).toMatchObject({ id: "claude-kimi" });
  });

  test("and chats with them under those names", async () => {
    const { client, gateway } = await start();
    const answer = await client.messages.create(ask("sim:say=Hi", { model: "claude-kimi" }));
    expect(answer.model).toMatch(/^claude-kimi/);
    const thought = await client.messages.create(ask("sim:say=Hi", { model: "claude-kimi-thinking" }));
    expect(thought.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
    expect(gateway.simulator.counts().chats).toBe(2);
  });
});

describe.each([true, false])("Anthropic's client chats (stream: %s)", (isStreamed) => {
  test.each(["authorization", "x-api-key"])("with its key in %s", async (header) => {
    const gateway = await startGateway();
    const credential = header === "authorization" ? { authToken: apiKey, apiKey: null } : { apiKey: null };
    const defaultHeaders = header === "x-api-key" ? { "x-api-key": apiKey, authorization: null } : {};
    const client = new Anthropic({ ...credential, defaultHeaders, baseURL: gateway.url, maxRetries: 0 });
    const answer = await send(client, ask("sim:say=Hello, 月亮 🌙!"), isStreamed);
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      type: "message",
      role: "assistant",
      model: "kimi",
      content: [{ type: "text", text: "Hello, 月亮 🌙!" }],
      stop_reason: "end_turn",
      stop_sequence: null,
    });
    expect(answer.usage.input_tokens).toBeGreaterThan(0);
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
  });

  test("over several turns in one chat, whose tokens count as read from a cache", async () => {
    const { client, gateway } = await start();
    const first = await send(client, ask("CANARY sim:say=One"), isStreamed);
    const messages: Anthropic.MessageParam[] = [
      {
        role: "user",
        content: [{ type: "text", text: "CANARY sim:say=One", cache_control: { type: "ephemeral" } }],
      },
      { role: "assistant", content: first.content },
      { role: "user", content: "sim:say=Two" },
    ];
    const second = await send(client, ask("", { messages }), isStreamed);
    expect(second.content).toMatchObject([{ text: "Two" }]);
    expect(continued(gateway)).toEqual([false, true]);
    expect(first.usage.cache_read_input_tokens).toBe(0);
    expect(second.usage.cache_read_input_tokens).toBeGreaterThan(0);
  });

  test("with thinking, signed, that may come back", async () => {
    const { client, gateway } = await start();
    const thinking = { type: "enabled", budget_tokens: 2_000 } as const;
    const first = await send(client, ask("sim:say=One", { thinking }), isStreamed);
    expect(first.content).toMatchObject([
      {
        type: "thinking",
        thinking: expect.stringMatching(/Simulated|模拟/),
        signature: expect.stringMatching(/^mb1\./),
      },
      { type: "text", text: "One" },
    ]);
    const omitted = { type: "adaptive", display: "omitted" } as const;
    const silent = await send(
      client,
      ask("sim:say=Two", { thinking: omitted, output_config: { effort: "max" } }),
      isStreamed,
    );
    expect(silent.content).toMatchObject([{ type: "thinking", thinking: "" }, { text: "Two" }]);
    const without = await send(client, ask("sim:say=Three", { thinking: { type: "adaptive" } }), isStreamed);
    expect(without.content.map(({ type }) => type)).toEqual(["text"]);
    const messages: Anthropic.MessageParam[] = [
      { role: "user", content: "sim:say=One" },
      { role: "assistant", content: first.content },
      { role: "user", content: "sim:say=Four" },
    ];
    await send(client, ask("", { messages, thinking }), isStreamed);
    expect(continued(gateway)).toEqual([false, false, false, true]);
  });

  test("with stop sequences and a bound, and learns which one ended the answer", async () => {
    const { client } = await start();
    const stopped = await send(
      client,
      ask("sim:say=a b STOP c", { stop_sequences: ["END", "STOP"] }),
      isStreamed,
    );
    expect(stopped).toMatchObject({
      content: [{ text: "a b " }],
      stop_reason: "stop_sequence",
      stop_sequence: "STOP",
    });
    const bounded = await send(client, ask("sim:repeat=500", { max_tokens: 20 }), isStreamed);
    expect(bounded.stop_reason).toBe("max_tokens");
  });

  test("about pictures and documents, also in results of tools", async () => {
    const { client, gateway } = await start();
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: png } } as const;
    const document = {
      type: "document",
      title: "Report",
      source: { type: "base64", media_type: "application/pdf", data: pdf },
    } as const;
    await send(client, ask([image, document, { type: "text", text: "What is it?" }]), isStreamed);
    const messages: Anthropic.MessageParam[] = [
      { role: "user", content: "Look." },
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Oslo" } }],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: [image] }] },
    ];
    await send(client, ask("", { messages, tools: [weather] }), isStreamed);
    const uploads = gateway.simulator.calls.filter(({ path }) => path.endsWith("/file/upload"));
    expect(uploads.map(({ body }) => body)).toMatchObject([
      { contentType: "image/png" },
      { contentType: "application/pdf", name: "Report.pdf" },
    ]);
  });

  test("with a search as the server's tool, whose sources are blocks and citations", async () => {
    const { client, gateway } = await start();
    const tools = [{ type: "web_search_20250305", name: "web_search", max_uses: 3 }] as const;
    const answer = await send(client, ask("search for the moon", { tools: [...tools] }), isStreamed);
    const use = answer.content.find(({ type }) => type === "server_tool_use");
    const found = answer.content.find(({ type }) => type === "web_search_tool_result");
    const texts = answer.content.filter(({ type }) => type === "text");
    expect(use).toMatchObject({
      type: "server_tool_use",
      name: "web_search",
      input: { query: "search for the moon" },
    });
    if (use?.type !== "server_tool_use" || found?.type !== "web_search_tool_result")
      throw new Error("no search");
    expect(found.tool_use_id).toBe(use.id);
    expect(found.content).toContainEqual({
      type: "web_search_result",
      title: expect.any(String),
      url: expect.stringMatching(/^https/),
      encrypted_content: expect.stringMatching(/^mb1\./),
      page_age: expect.stringMatching(/^\d{4}-/),
    });
    expect(JSON.stringify(texts)).not.toMatch(/\]\(https/);
    const citations = texts.flatMap((block) => (block.type === "text" ? (block.citations ?? []) : []));
    expect(citations).toContainEqual(expect.objectContaining({ type: "web_search_result_location" }));
    expect(answer.usage.server_tool_use?.web_search_requests).toBe(1);
    const messages: Anthropic.MessageParam[] = [
      { role: "user", content: "search for the moon" },
      { role: "assistant", content: answer.content },
      { role: "user", content: "Thank you." },
    ];
    await send(client, ask("", { messages }), isStreamed);
    expect(continued(gateway)).toEqual([false, true]);
  });

  test("with a search of Kimi's own, whose sources are in the text", async () => {
    const { client } = await start();
    const answer = await send(client, ask("search for the moon", { model: "kimi-search" }), isStreamed);
    expect(new Set(answer.content.map(({ type }) => type))).toEqual(new Set(["text"]));
    expect(JSON.stringify(answer.content)).toMatch(/参考 \/ Sources/);
  });

  test("with an answer that is JSON of a schema", async () => {
    const { client } = await start();
    const properties = { title: { type: "string" }, words: { type: "integer" } };
    const schema = { type: "object", properties, required: ["title", "words"], additionalProperties: false };
    const output_config = { format: { type: "json_schema" as const, schema } };
    const answer = await send(client, ask("Name this chat.", { output_config }), isStreamed);
    const [block, ...others] = answer.content;
    expect(others).toEqual([]);
    expect(JSON.parse(block?.type === "text" ? block.text : "")).toEqual({
      title: expect.any(String),
      words: expect.any(Number),
    });
    expect(answer.stop_reason).toBe("end_turn");
  });

  test("with calls of functions, one forced", async () => {
    const { client, gateway } = await start();
    const prompt = 'sim:call get_weather {"city":"Oslo"}';
    const called = await send(
      client,
      ask(prompt, { tools: [weather], tool_choice: { type: "any" } }),
      isStreamed,
    );
    expect(called.stop_reason).toBe("tool_use");
    const call = called.content.find((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "get_weather", input: { city: "Oslo" } });
    const messages: Anthropic.MessageParam[] = [
      { role: "user", content: prompt },
      { role: "assistant", content: called.content },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: call?.id ?? "", content: "9 °C", is_error: true }],
      },
    ];
    const answer = await send(client, ask("", { messages, tools: [weather] }), isStreamed);
    expect(JSON.stringify(answer.content)).toContain("9 °C");
    expect(continued(gateway)).toEqual([false, true]);
  });
});

describe("Anthropic's client counts tokens", () => {
  test("of the same request as its answer reports, without asking Kimi", async () => {
    const { client, gateway } = await start();
    const body = {
      ...ask([
        { type: "text", text: "One 二 three. ".repeat(400) },
        { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
        { type: "text", text: "sim:say=Hi" },
      ]),
      system: [{ type: "text" as const, text: "You are brief. ".repeat(50) }],
      tools: [weather],
    };
    const { max_tokens: _, stream: __, ...counted } = body;
    const counts = await Promise.all(Array.from({ length: 14 }, () => client.messages.countTokens(counted)));
    expect(gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat"))).toEqual([]);
    expect(new Set(counts.map(({ input_tokens }) => input_tokens)).size).toBe(1);
    const { usage } = await client.messages.create(body);
    expect(counts[0]?.input_tokens).toBe(usage.input_tokens);
    const bare = await client.messages.countTokens({
      model: "kimi",
      messages: [{ role: "assistant", content: "Hi" }],
    });
    expect(bare.input_tokens).toBeGreaterThan(0);
  });
});

describe("Anthropic's client gets an error", () => {
  type Case = [
    what: string,
    status: number,
    type: string,
    prompt: string,
    more?: Partial<Anthropic.MessageCreateParams>,
  ];
  const cases: Case[] = [
    ["a field of the wrong type", 400, "invalid_request_error", "hi", Object({ system: 5 })],
    ["an unknown model", 404, "not_found_error", "hi", { model: "claude-opus-4-8" }],
    ["a used-up quota", 429, "rate_limit_error", "sim:fault=error,resource_exhausted,paywall"],
    ["too many requests", 429, "rate_limit_error", "sim:fault=http,429,17"],
    ["an overloaded service", 529, "overloaded_error", "sim:fault=error,unavailable"],
    ["a dead account", 424, "api_error", "sim:fault=http,403"],
    ["a broken answer", 502, "api_error", "sim:fault=cut,0 sim:repeat=9"],
    ["a service that is too slow", 504, "timeout_error", "sim:fault=error,deadline_exceeded"],
  ];

  test.each(cases)("%s: %i %s", async (_what, status, type, prompt, more) => {
    const { client } = await start();
    const error = await client.messages.create(ask(prompt, more)).catch((thrown: unknown) => thrown);
    if (!(error instanceof APIError)) throw new Error("no error");
    expect([error.status, error.type]).toEqual([status, type]);
    expect(error.requestID).toMatch(/^req_/);
    expect(error.error).toMatchObject({ type: "error", request_id: error.requestID });
  });

  test("with advice on retries", async () => {
    const { client } = await start();
    const headersOf = async (prompt: string) => {
      const error = await client.messages.create(ask(prompt)).catch((thrown: unknown) => thrown);
      return error instanceof APIError ? error.headers : undefined;
    };
    expect((await headersOf("sim:fault=http,403"))?.get("x-should-retry")).toBe("false");
    const limited = await headersOf("sim:fault=http,429,17");
    expect([limited?.get("retry-after"), limited?.get("x-should-retry")]).toEqual(["17", null]);
  });

  test("for a wrong key, and headers about the limits of a right one", async () => {
    const gateway = await startGateway({
      keys: [{ name: "few", key: "sk-CANARY-few", requestsPerMinute: 2 }],
    });
    const wrong = new Anthropic({ apiKey: "sk-wrong", baseURL: gateway.url, maxRetries: 0 });
    await expect(wrong.messages.create(ask("hi"))).rejects.toMatchObject({
      status: 401,
      type: "authentication_error",
    });
    const client = new Anthropic({ apiKey: "sk-CANARY-few", baseURL: gateway.url, maxRetries: 0 });
    const { response } = await client.messages.create(ask("hi")).withResponse();
    const header = (name: string) => response.headers.get(`anthropic-ratelimit-requests-${name}`);
    expect([header("limit"), header("remaining")]).toEqual(["2", "1"]);
    expect(Date.parse(header("reset") ?? "")).not.toBeNaN();
  });

  test("in the middle of a stream, without an end of the message", async () => {
    const { client } = await start();
    const stream = client.messages.stream(ask("sim:fault=cut,3 sim:repeat=20"));
    await expect(stream.finalMessage()).rejects.toMatchObject({ type: "api_error" });
    expect(stream.currentMessage?.stop_reason).toBeNull();
  });
});

test("Anthropic's client stops Kimi when it is aborted", async () => {
  const { client, gateway } = await start();
  const stream = client.messages.stream(ask("sim:slow=20 sim:repeat=5000"));
  stream.on("text", (_, text) => {
    if (text.length > 5) stream.abort();
  });
  await expect(stream.finalMessage()).rejects.toThrow(/abort/i);
  await waitUntil(
    () => gateway.simulator.counts().cancels === 1 && gateway.simulator.counts().openStreams === 0,
  );
});
