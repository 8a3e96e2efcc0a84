import fc from "fast-check";
import type OpenAI from "openai";
import { describe, expect, expectTypeOf, test } from "vitest";
import { parseChatCompletion } from "../../../src/api/openai-chat/parse.js";
import { type ChatCompletionBody, parameterNames } from "../../../src/api/openai-chat/schema.js";
import type { Message } from "../../../src/core/types.js";

const hello = [{ role: "user", content: "hello" }];

function parse(body: Record<string, unknown>, unknownParameters: "reject" | "ignore" = "reject") {
  const signal = new AbortController().signal;
  const complete: ChatCompletionBody = { messages: hello, ...body };
  return parseChatCompletion(complete, {
    unknownParameters,
    principal: { scopes: ["chat"], keyName: "k" },
    signal,
  });
}

function messagesOf(messages: ChatCompletionBody["messages"]): Message[] {
  return parse({ messages }).messages;
}

describe("content", () => {
  const text = (value: string) => [{ type: "text", text: value }];

  test("content may be text, parts, one part, null or missing", () => {
    expect(
      messagesOf([
        { role: "user", content: "a" },
        {
          role: "user",
          content: [{ type: "text", text: "b", cache_control: {} }, { type: "input_text", text: "c" }, "d"],
        },
        { role: "user", content: { type: "text", text: "e" } },
        { role: "assistant", content: null },
        { role: "assistant" },
      ]),
    ).toEqual([
      { role: "user", content: text("a") },
      { role: "user", content: [...text("b"), ...text("c"), ...text("d")] },
      { role: "user", content: text("e") },
      { role: "assistant", content: [] },
      { role: "assistant", content: [] },
    ]);
  });

  test("nested messages of kimi-free-api are unnested, and answered as a stream by default", () => {
    const messages = [{ role: "user", content: [{ content: "天空为什么不是红色", role: "user" }] }];
    expect(parse({ messages }).messages).toEqual([{ role: "user", content: text("天空为什么不是红色") }]);
    expect(parse({ messages }).stream).toBe(true);
    expect(parse({ messages, stream: false }).stream).toBe(false);
    expect(parse({}).stream).toBe(false);
  });

  test("pictures and files are parsed in every client's shape", () => {
    const parts = [
      { type: "image_url", image_url: { url: "https://example.org/a.png", detail: "auto" } },
      { type: "image_url", image_url: "data:image/png;base64,AAAA" },
      { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,BBBB" } },
      { type: "file", file: { file_id: "file-1" } },
      { type: "file_url", file_url: { url: "https://example.org/b.pdf" } },
      { type: "input_file", file_id: "ms://file-2" },
    ];
    const path = (part: number) => `messages[0].content[${part}]`;
    expect(messagesOf([{ role: "user", content: parts }])[0]?.content).toEqual([
      { type: "image", source: { kind: "link", url: "https://example.org/a.png" }, path: path(0) },
      { type: "image", source: { kind: "bytes", base64: "AAAA" }, mediaType: "image/png", path: path(1) },
      {
        type: "file",
        name: "a.pdf",
        source: { kind: "bytes", base64: "BBBB" },
        mediaType: "application/pdf",
        path: path(2),
      },
      { type: "file", source: { kind: "file-id", id: "file-1" }, path: path(3) },
      { type: "file", source: { kind: "link", url: "https://example.org/b.pdf" }, path: path(4) },
      { type: "file", source: { kind: "file-id", id: "file-2" }, path: path(5) },
    ]);
  });

  test("every role is parsed, with tool calls, results and reasoning", () => {
    const call = { id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } };
    expect(
      messagesOf([
        { role: "developer", content: "be brief" },
        { role: "user", content: "1+1", name: "ann" },
        { role: "assistant", content: null, reasoning_content: "hm", tool_calls: [call] },
        { role: "tool", tool_call_id: "c1", name: "add", content: "2" },
        { role: "function", name: "add", content: "3" },
      ]),
    ).toEqual([
      { role: "system", content: text("be brief") },
      { role: "user", content: text("1+1"), name: "ann" },
      {
        role: "assistant",
        content: [],
        reasoning: "hm",
        toolCalls: [{ id: "c1", name: "add", arguments: '{"a":1}' }],
      },
      { role: "tool", toolCallId: "c1", name: "add", content: text("2") },
      { role: "tool", toolCallId: "add", name: "add", content: text("3") },
    ]);
  });

  test.each([
    [{ role: "wizard", content: "x" }, "messages[0].role"],
    [{ role: "user", content: 17 }, "messages[0].content"],
    [{ role: "user", content: [{ type: "hologram" }] }, "messages[0].content[0].type"],
    [{ role: "user", content: [{ type: "input_audio" }] }, "messages[0].content[0]"],
    [{ role: "user", content: [{ type: "text", text: 1 }] }, "messages[0].content[0].text"],
    [{ role: "user", content: [{ type: "image_url" }] }, "messages[0].content[0].image_url"],
    [{ role: "assistant", tool_calls: [{ id: "x" }] }, "messages[0].tool_calls[0]"],
  ])("an invalid message is refused with the path of its field: %j", (message, param) => {
    expect(() => messagesOf([message])).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  });
});

describe("parameters", () => {
  test("an unknown parameter is refused with the nearest known name", () => {
    expect(() => parse({ temprature: 1 })).toThrow(
      expect.objectContaining({ code: "unknown_parameter", status: 400, param: "temprature" }),
    );
    expect(() => parse({ temprature: 1 })).toThrow(/nearest is “temperature”/);
    expect(() => parse({ max_token: 1 })).toThrow(/nearest is “max_tokens”/);
  });

  test('an unknown parameter is reported as a requested feature with unknownParameters "ignore"', () => {
    expect(parse({ temprature: 1 }, "ignore").requestedFeatures).toEqual([
      { parameter: "temprature", feature: "unknown" },
    ]);
  });

  test("parameters that need a feature are collected, unless they repeat the default", () => {
    const { requestedFeatures } = parse({
      temperature: 0.5,
      presence_penalty: 0,
      frequency_penalty: 0,
      top_p: 1,
      max_tokens: 4000,
      stop: [],
      tools: [],
      tool_choice: "auto",
      response_format: { type: "text" },
      logprobs: false,
      user: "u",
    });
    expect(requestedFeatures.map(({ parameter }) => parameter)).toEqual(["temperature", "max_tokens"]);
  });

  test("every parameter of the official SDK is known", () => {
    type Official = keyof OpenAI.Chat.ChatCompletionCreateParamsStreaming;
    expectTypeOf<Exclude<Official, keyof ChatCompletionBody>>().toBeNever();
  });

  test("null means not set, for every parameter", () => {
    const nulls = Object.fromEntries(
      parameterNames.filter((name) => name !== "messages").map((name) => [name, null]),
    );
    expect(parse(nulls)).toMatchObject({ model: "kimi", requestedFeatures: [], stream: false });
  });

  test.each([
    [{ n: 2 }, "n"],
    [{ modalities: ["audio"] }, "modalities"],
    [{ reasoning_effort: "heroic" }, "reasoning_effort"],
  ])("an unsupported value is refused: %j", (body, param) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  });
});

describe("search and thinking, in every client's spelling", () => {
  test.each([
    [{ web_search_options: {} }, true],
    [{ use_search: true }, true],
    [{ use_search: false }, false],
    [{ tools: [{ type: "builtin_function", function: { name: "$web_search" } }] }, true],
    [{ tools: [{ type: "web_search" }] }, true],
    [{ tools: [{ type: "function", function: { name: "web_search" } }] }, undefined],
    [{}, undefined],
  ])("search: %j", (body, search) => {
    expect(parse(body).search).toBe(search);
  });

  test.each([
    [{ reasoning_effort: "none" }, "off"],
    [{ reasoning_effort: "minimal" }, "low"],
    [{ reasoning_effort: "medium" }, "high"],
    [{ reasoning_effort: "xhigh" }, "max"],
    [{ reasoning: { effort: "low" } }, "low"],
    [{ thinking: { type: "disabled" } }, "off"],
    [{ thinking: { type: "enabled", budget_tokens: 100 } }, "high"],
    [{ thinking: { type: "enabled", effort: "low" } }, "low"],
    [{ thinking: true }, "high"],
    [{ enable_thinking: false }, "off"],
    [{ chat_template_kwargs: { enable_thinking: true } }, "high"],
    [{}, undefined],
  ])("thinking: %j", (body, thinking) => {
    expect(parse(body).thinking).toBe(thinking);
  });
});

test("any JSON for messages and parameters gives a request or a GatewayError with status 400", () => {
  const message = fc.record(
    {
      role: fc.constantFrom("user", "assistant", "tool", "system", "x"),
      content: fc.anything(),
      tool_calls: fc.array(fc.anything()),
    },
    { requiredKeys: ["role"] },
  );
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), fc.anything(), (messages, thinking) => {
      try {
        parse({ messages, thinking });
      } catch (error) {
        expect(error).toMatchObject({ name: "GatewayError", status: 400 });
      }
    }),
    { numRuns: 3_000 },
  );
});
