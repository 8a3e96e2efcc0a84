import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChat, parseGenerate } from "../../../src/api/ollama/parse.js";
import type { ChatBody } from "../../../src/api/ollama/schema.js";
import { GatewayError } from "../../../src/core/errors.js";

const options = {
  unknownParameters: "reject" as const,
  principal: { keyName: "test", scopes: ["chat"] as const },
  signal: new AbortController().signal,
};
const user = { role: "user", content: "hi" };

function chat(body: object = {}, unknownParameters: "reject" | "ignore" = "reject") {
  const whole: ChatBody = { model: "kimi", messages: [user], ...body };
  return parseChat(whole, { ...options, unknownParameters });
}

function requested(body: object, unknownParameters: "reject" | "ignore" = "reject") {
  return chat(body, unknownParameters).requestedFeatures.map(({ parameter, feature }) => [
    parameter,
    feature,
  ]);
}

describe("a chat", () => {
  test("streams by default, and a model may have the tag of its newest version", () => {
    expect(chat()).toEqual({
      model: "kimi",
      stream: true,
      usage: "final",
      messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
      requestedFeatures: [],
      principal: options.principal,
      signal: options.signal,
    });
    expect(chat({ model: "me/kimi:latest", stream: false })).toMatchObject({
      model: "me/kimi",
      stream: false,
    });
  });

  test("keeps thinking and pictures apart from the text", () => {
    const base64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ";
    const messages = [
      { role: "system", content: "s" },
      { ...user, images: [base64] },
      { role: "assistant", content: "a", thinking: "t" },
    ];
    const path = "messages[1].images[0]";
    const image = { type: "image", source: { kind: "bytes", base64 }, mediaType: "image/png", path };
    expect(chat({ messages }).messages).toEqual([
      { role: "system", content: [{ type: "text", text: "s" }] },
      { role: "user", content: [{ type: "text", text: "hi" }, image] },
      { role: "assistant", content: [{ type: "text", text: "a" }], reasoning: "t" },
    ]);
  });

  const calls = (...names: string[]) => ({
    role: "assistant",
    tool_calls: names.map((name) => ({ function: { name, arguments: { n: 1 } } })),
  });
  const result = (name?: string) => ({ role: "tool", content: "r", ...(name ? { tool_name: name } : {}) });
  const withIds = {
    role: "assistant",
    tool_calls: ["x", "y"].map((id) => ({ id, function: { name: "a" } })),
  };

  test.each<[name: string, messages: object[], callIds: string[], resultIds: string[]]>([
    [
      "of the same name, in their order",
      [calls("a", "a"), result("a"), result("a")],
      ["call_0", "call_1"],
      ["call_0", "call_1"],
    ],
    [
      "of other names, in another order, or without one",
      [calls("a", "b"), result("b"), result()],
      ["call_0", "call_1"],
      ["call_1", "call_0"],
    ],
    [
      "of several turns",
      [calls("a"), result("a"), calls("a"), result("a")],
      ["call_0", "call_1"],
      ["call_0", "call_1"],
    ],
    [
      "with ids of their own",
      [withIds, { ...result(), tool_call_id: "y" }, result("a")],
      ["x", "y"],
      ["y", "x"],
    ],
    [
      "with an id for the first result alone",
      [withIds, { ...result(), tool_call_id: "x" }, result("a")],
      ["x", "y"],
      ["x", "y"],
    ],
    ["that nobody made", [result("a")], [], ["call_0"]],
  ])("finds the calls that results are for: %s", (_name, messages, callIds, resultIds) => {
    const parsed = chat({ messages }).messages;
    const made = parsed.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));
    expect(made.map(({ id }) => id)).toEqual(callIds);
    for (const call of made) expect(call.arguments).toMatch(/^\{("n":1)?\}$/);
    const answered = parsed.flatMap((message) => (message.role === "tool" ? [message.toolCallId] : []));
    expect(answered).toEqual(resultIds);
  });

  test.each<[think: boolean | string, thinking: string]>([
    [true, "high"],
    [false, "off"],
    ["low", "low"],
    ["medium", "high"],
    ["high", "high"],
    ["max", "max"],
  ])("think %j is %s", (think, thinking) => {
    expect(chat({ think }).thinking).toBe(thinking);
    expect(requested({ think })).toEqual([["think", "thinking"]]);
  });

  test("takes options by Ollama's names, and lists those of its engine as without effect", () => {
    const sent = {
      temperature: 0,
      top_k: 40,
      repeat_penalty: 1.1,
      num_predict: 9,
      stop: "END",
      num_ctx: 4_096,
    };
    const parsed = chat({ options: { ...sent, mirostat: 1 } });
    expect(parsed).toMatchObject({
      sampling: { temperature: 0, top_k: 40, repetition_penalty: 1.1 },
      limits: { maxTokens: 9, stop: ["END"] },
    });
    expect(
      parsed.requestedFeatures.map(({ parameter, name, feature }) => [parameter, name, feature]),
    ).toEqual([
      ["options.temperature", "temperature", "sampling"],
      ["options.top_k", "top_k", "sampling"],
      ["options.repeat_penalty", "repetition_penalty", "sampling"],
      ["options.num_predict", "max_tokens", "max-tokens"],
      ["options.stop", "stop", "stop"],
      ["options.num_ctx", "num_ctx", "nothing"],
      ["options.mirostat", "mirostat", "nothing"],
    ]);
    for (const num_predict of [-1, -2])
      expect(chat({ options: { num_predict } })).not.toHaveProperty("limits");
    expect(requested({ options: { num_predict: -1, stop: [], seed: null } })).toEqual([]);
  });

  test("takes formats and tools", () => {
    expect(chat({ format: "json" }).responseFormat).toEqual({ type: "json" });
    const schema = { type: "object" };
    expect(chat({ format: schema }).responseFormat).toEqual({
      type: "json-schema",
      name: "answer",
      schema,
      path: "format",
    });
    expect(chat({ format: "json" }).requestedFeatures).toMatchObject([
      { parameter: "format", isRequired: true },
    ]);
    const parameters = { type: "object", properties: {} };
    const tools = [{ type: "function", function: { name: "f", description: "d", parameters } }];
    expect(chat({ tools }).tools).toEqual([{ name: "f", description: "d", parameters }]);
    expect(requested({ tools })).toEqual([["tools", "tools"]]);
    expect(requested({ tools: [], format: "", keep_alive: "5m", truncate: true })).toEqual([]);
  });

  test.each<[body: object, param: string, message: RegExp]>([
    [{ think: "deep" }, "think", /expected true, false, low/],
    [{ format: "xml" }, "format", /expected “json” or a JSON schema/],
    [{ options: { temperature: "0" } }, "options.temperature", /expected a number/],
    [{ options: { stop: [1] } }, "options.stop", /a text or a list of texts/],
    [{ options: { numa: 1 } }, "options.numa", /expected a boolean/],
    [{ options: { temprature: 0 } }, "options.temprature", /Did you mean “temperature”/],
    [{ strem: true }, "strem", /Did you mean “stream”/],
    [{ messages: [{ role: "developer" }] }, "messages[0].role", /expected system, user, assistant or tool/],
    [
      { messages: [{ role: "assistant", tool_calls: [{}] }] },
      "messages[0].tool_calls[0]",
      /expected \{function/,
    ],
    [{ messages: [{ ...user, images: ["C:\\a.png"] }] }, "messages[0].images[0]", /path of a file/],
    [{ tools: [{ type: "function" }] }, "tools[0].name", /the function's name/],
  ])("refuses %j, naming the field", (body, param, message) => {
    expect(() => chat(body)).toThrow(message);
    expect(() => chat(body)).toThrow(expect.objectContaining({ param }));
  });

  test("lists unknown parameters if they are to be ignored", () => {
    expect(requested({ strem: true, options: { heat: 1 } }, "ignore")).toEqual([
      ["options.heat", "unknown"],
      ["strem", "unknown"],
    ]);
  });

  test("any JSON in the fields without a schema gives a request or a GatewayError with status 400", () => {
    const anyObject = fc.dictionary(fc.string(), fc.jsonValue());
    const optionNames = fc.constantFrom("temperature", "stop", "numa", "num_predict", "other");
    const body = fc.record({
      options: fc.dictionary(optionNames, fc.jsonValue()),
      tools: fc.array(fc.record({ type: fc.jsonValue(), function: fc.jsonValue() }), { maxLength: 2 }),
      format: fc.oneof(fc.string(), anyObject),
      think: fc.oneof(fc.boolean(), fc.string()),
      messages: fc.array(
        fc.record({
          role: fc.constantFrom("user", "assistant", "tool", "other"),
          images: fc.array(fc.string(), { maxLength: 2 }),
          tool_calls: fc.array(anyObject, { maxLength: 2 }),
        }),
      ),
    });
    fc.assert(
      fc.property(body, (drawn) => {
        try {
          chat(drawn);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          expect(error).toMatchObject({ status: 400 });
        }
      }),
    );
  });
});

describe("a prompt", () => {
  const prompt = { model: "kimi", prompt: "p" };

  test("is one user message, after the system text", () => {
    expect(parseGenerate({ ...prompt, system: "s", raw: true, template: "t" }, options)).toMatchObject({
      messages: [
        { role: "system", content: [{ type: "text", text: "s" }] },
        { role: "user", content: [{ type: "text", text: "p" }] },
      ],
      requestedFeatures: [
        { parameter: "template", feature: "nothing" },
        { parameter: "raw", feature: "nothing" },
      ],
    });
  });

  test("names a conversation by its context", () => {
    expect(parseGenerate({ ...prompt, context: [...Buffer.from("conv_1")] }, options)).toMatchObject({
      conversation: "conv_1",
      requestedFeatures: [{ parameter: "context", feature: "conversation" }],
    });
    const foreign = () => parseGenerate({ ...prompt, context: [128_000, 7] }, options);
    expect(foreign).toThrow(/^context: expected the context of an earlier answer/);
  });

  test("cannot be filled in", () => {
    expect(() => parseGenerate({ ...prompt, suffix: "s" }, options)).toThrow(/^suffix: /);
  });
});
