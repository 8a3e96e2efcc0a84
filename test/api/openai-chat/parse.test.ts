import fc from "fast-check";
import type OpenAI from "openai";
import { describe, expect, expectTypeOf, test } from "vitest";
import { parameterNames } from "../../../src/api/openai-chat/client-parameters.js";
import { parseChatCompletion } from "../../../src/api/openai-chat/parse.js";
import type { ChatCompletionBody } from "../../../src/api/openai-chat/schema.js";
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

  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk";
  const asPng = `data:image/png;base64,${png}`;
  const largeBase64 = "QUJD".repeat(200);

  test.each([
    ["base64 alone", png, asPng],
    ["JPEG in base64 alone", `/9j/${largeBase64}`, `data:image/jpeg;base64,/9j/${largeBase64}`],
    ["base64 of an unknown format", largeBase64, `data:application/octet-stream;base64,${largeBase64}`],
    ["base64 with line breaks", `${png.slice(0, 20)}\r\n${png.slice(20)}\n`, asPng],
    ["a data URL with line breaks", `data:image/png;base64,${png.slice(0, 20)}\n${png.slice(20)}`, asPng],
    ["a doubled prefix", `data:image/png;base64,${asPng}`, asPng],
    ["a prefix of another type before a data URL", `data:image/jpeg;base64, ${asPng}`, asPng],
    ["a data URL without its scheme", `image/png;base64,${png}`, asPng],
    ["half a prefix", `base64,${png}`, asPng],
    ["a data URL with blanks around its base64 mark", `data:image/png; base64 ,${png}`, asPng],
    ["image/jpg", "data:image/jpg;base64,AAAA", "data:image/jpeg;base64,AAAA"],
    ["percent-encoded base64", "data:image/png;base64,AA%2BA", "data:image/png;base64,AA+A"],
    [
      "a data URL that is not base64",
      "data:image/svg+xml;utf8,%3Csvg/%3E",
      "data:image/svg+xml;base64,PHN2Zy8+",
    ],
    ["a data URL", asPng, asPng],
    ["a link with spaces around", " https://example.org/a.png\n", "https://example.org/a.png"],
    ["an id", "file-1", "file-1"],
  ])(
    "a picture as %s is understood, and sent to other services in the standard form",
    (_name, url, standard) => {
      const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
      const request = parse({ messages });
      expect(request.originalRequest?.body.messages).toEqual([
        { role: "user", content: [{ type: "image_url", image_url: { url: standard } }] },
      ]);
      const [, mediaType, base64] = /^data:([^;]+);base64,(.*)$/.exec(standard) ?? [];
      const kind = standard.startsWith("https:")
        ? { kind: "link", url: standard }
        : { kind: "file-id", id: standard };
      expect(request.messages[0]?.content).toEqual([
        base64 === undefined
          ? { type: "image", source: kind, path: "messages[0].content[0]" }
          : { type: "image", source: { kind: "bytes", base64 }, mediaType, path: "messages[0].content[0]" },
      ]);
    },
  );

  test.each([
    [{ type: "image", source: { type: "base64", media_type: "image/png", data: png } }],
    [{ type: "image", data: png, mimeType: "image/png" }],
    [{ type: "image", image: asPng }],
    [{ type: "input_image", image_url: asPng }],
    [{ type: "image_url", url: asPng }],
  ])("a picture in another API's form is understood: %j", (part) => {
    const request = parse({ messages: [{ role: "user", content: [part] }] });
    expect(request.messages[0]?.content).toMatchObject([
      { type: "image", source: { kind: "bytes", base64: png }, mediaType: "image/png" },
    ]);
  });

  test("Ollama's images of a message become parts", () => {
    const request = parse({ messages: [{ role: "user", content: "look", images: [png, asPng] }] });
    const image = { type: "image_url", image_url: { url: asPng } };
    expect(request.messages[0]?.content.map(({ type }) => type)).toEqual(["text", "image", "image"]);
    expect(request.originalRequest?.body.messages).toEqual([
      { role: "user", content: [...text("look"), image, image] },
    ]);
  });

  test.each([
    ["blob:https://chat.example.org/1b2c", /exists only in the browser/],
    ["file:///home/me/a.png", /path of a file on the client's computer/],
    ["C:\\Users\\me\\a.png", /path of a file/],
    ["/home/me/a.png", /path of a file/],
    ["attachment://a.png", /attachment: cannot be read/],
    ["data:image/png;base64", /no comma/],
    ["data:image/png;base64,<html>", /not base64/],
    ["data:image/svg+xml,%E0%A4%A", /not percent-encoded/],
    ["the picture above", /no address/],
  ])("a picture that cannot be read is refused for what it is: %s", (url, message) => {
    const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
    expect(() => parse({ messages })).toThrow(
      expect.objectContaining({
        code: "invalid_request",
        param: "messages[0].content[0].image_url",
        message: expect.stringMatching(message),
      }),
    );
  });

  test.each([
    [{ content: [{ type: "thinking", thinking: "hm", signature: "s" }, ...text("4")] }, "hm"],
    [{ content: [{ type: "think", think: "hm" }, ...text("4")] }, "hm"],
    [{ content: [{ type: "reasoning", text: "hm" }, ...text("4")] }, "hm"],
    [
      { content: [{ type: "reasoning", summary: [{ type: "summary_text", text: "hm" }] }, ...text("4")] },
      "hm",
    ],
    [{ content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }, ...text("4")] }, "hm"],
    [{ content: [{ type: "redacted_thinking", data: "x" }, ...text("4")] }, undefined],
    [
      { content: "4", reasoning_content: "hm", thinking_blocks: [{ type: "thinking", thinking: "no" }] },
      "hm",
    ],
    [{ content: "4", thinking_blocks: [{ type: "thinking", thinking: "hm" }] }, "hm"],
    [{ content: "4", reasoning_details: [{ type: "reasoning.text", text: "hm" }] }, "hm"],
    [{ content: "4", thinking: "hm" }, "hm"],
  ])("the reasoning of an assistant's message is read in every form: %j", (message, reasoning) => {
    const request = parse({ messages: [{ role: "assistant", ...message }, ...hello] });
    expect(request.messages[0]).toEqual({
      role: "assistant",
      content: text("4"),
      ...(reasoning === undefined ? {} : { reasoning }),
    });
    const sent = request.originalRequest?.body.messages;
    const sentText = "content" in message && message.content === "4" ? "4" : text("4");
    const sentReasoning = reasoning === undefined ? {} : { reasoning_content: reasoning };
    expect(sent).toMatchObject([{ role: "assistant", content: sentText, ...sentReasoning }, {}]);
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
    [{ role: "user", content: [{ type: "thinking", thinking: "x" }] }, "messages[0].content[0].type"],
    [{ role: "user", content: "x", images: [17] }, "messages[0].images[0].image_url"],
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
    expect(() => parse({ temprature: 1 })).toThrow(/Did you mean “temperature”\?/);
    expect(() => parse({ max_token: 1 })).toThrow(/Did you mean “max_tokens”\?/);
  });

  test.each([
    ["maxTokens", "max_tokens"],
    ["repetition-penality", "repetition_penalty"],
    ["foo", undefined],
    ["mood", undefined],
    ["colour_of_the_answer", undefined],
    ["system_prompt", undefined],
  ])("a name is guessed only where it is near: %s", (name, guess) => {
    const message = guess === undefined ? /”\. Remove it/ : new RegExp(`Did you mean “${guess}”\\?`);
    expect(() => parse({ [name]: 1 })).toThrow(message);
  });

  test("parameters inside options and extra_body count, and replace those beside them", () => {
    const request = parse({
      temperature: 1,
      options: { temperature: 0.2, num_predict: 50, num_ctx: 8_192 },
      extra_body: { top_k: 5, min_p: null },
    });
    expect(request.originalRequest?.body).toEqual({
      messages: hello,
      temperature: 0.2,
      top_k: 5,
      min_p: null,
      max_tokens: 50,
    });
    expect(new Set(request.requestedFeatures)).toEqual(
      new Set([
        { parameter: "temperature", name: "temperature", value: 0.2, feature: "sampling" },
        { parameter: "num_predict", name: "max_tokens", value: 50, feature: "max-tokens" },
        { parameter: "num_ctx", name: "num_ctx", value: 8_192, feature: "nothing" },
        { parameter: "top_k", name: "top_k", value: 5, feature: "sampling" },
      ]),
    );
  });

  test.each([
    [{ extra_body: { temprature: 1 } }, "unknown_parameter", "extra_body.temprature"],
    [{ extra_body: { temperature: "hot" } }, "invalid_request", "extra_body.temperature"],
    [{ options: { extra_body: {} } }, "invalid_request", "options.extra_body"],
    [{ extra_body: { messages: [] } }, "invalid_request", "extra_body.messages"],
    [{ format: "yaml" }, "invalid_request", "format"],
  ])("an invalid nested or renamed parameter is refused by its path: %j", (body, code, param) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code, param }));
  });

  test.each([
    [{ num_predict: 100 }, { max_tokens: 100 }],
    [{ num_predict: -1 }, {}],
    [{ n_predict: 100, max_tokens: 7 }, { max_tokens: 7 }],
    [{ max_output_tokens: 100 }, { max_tokens: 100 }],
    [{ stop_sequences: ["END"] }, { stop: ["END"] }],
    [{ think: false }, { reasoning_effort: "none" }],
    [{ format: "json" }, { response_format: { type: "json_object" } }],
    [
      { format: { type: "object" } },
      {
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
      },
    ],
    [{ keep_alive: "5m", api_key: "sk-CANARY-nested", tool_servers: [] }, {}],
    [
      { mirostat: 2, min_tokens: 5 },
      { mirostat: 2, min_tokens: 5 },
    ],
  ])(
    "upstreams with the same dialect get OpenAI's names, and nothing that no service has: %j",
    (body, sent) => {
      expect(parse(body).originalRequest?.body).toEqual({ messages: hello, ...sent });
    },
  );

  test("what a parameter asks for in vain is reported", () => {
    const { requestedFeatures } = parse({
      features: { web_search: true, code_interpreter: true, memory: false },
      plugins: [{ id: "web" }, { id: "file-parser" }],
      reasoning: { effort: "low", exclude: true },
      skip_special_tokens: false,
      parallel_tool_calls: false,
      ignore_eos: false,
      add_generation_prompt: true,
    });
    const others = requestedFeatures.filter(({ feature }) => feature !== "search" && feature !== "thinking");
    expect(others.map(({ parameter }) => parameter)).toEqual([
      "features.code_interpreter",
      "plugins",
      "reasoning.exclude",
      "skip_special_tokens",
      "parallel_tool_calls",
    ]);
  });

  test('an unknown parameter is reported as a requested feature with unknownParameters "ignore"', () => {
    expect(parse({ temprature: 1 }, "ignore").requestedFeatures).toEqual([
      { parameter: "temprature", name: "temprature", value: 1, feature: "unknown" },
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
    expect(requestedFeatures.map(({ parameter }) => parameter)).toEqual([
      "temperature",
      "max_tokens",
      "user",
    ]);
  });

  test("every parameter of the official SDK is known", () => {
    type Official = keyof OpenAI.Chat.ChatCompletionCreateParamsStreaming;
    expectTypeOf<Exclude<Official, keyof ChatCompletionBody>>().toBeNever();
    expect(parameterNames).toContain("web_search_options");
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
    [{ web_search: true }, true],
    [{ web_search: false }, false],
    [{ web_search: {} }, true],
    [{ search_parameters: { mode: "on" } }, true],
    [{ search_parameters: { mode: "off" } }, false],
    [{ search_parameters: { mode: "auto" } }, undefined],
    [{ plugins: [{ id: "web", max_results: 3 }] }, true],
    [{ plugins: [{ id: "file-parser" }] }, undefined],
    [{ features: { web_search: true } }, true],
    [{ extra_body: { enable_search: true } }, true],
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
    [{ thinking: { type: "enabled", budget_tokens: 100 } }, "low"],
    [{ thinking: { type: "enabled", budget_tokens: 31_999 } }, "max"],
    [{ thinking: { type: "disabled", budget_tokens: 31_999 } }, "off"],
    [{ thinking_budget: 4_096 }, "high"],
    [{ thinking_budget: 0 }, "off"],
    [{ thinking_budget: -1 }, "high"],
    [{ thinking_budget: 4_096, enable_thinking: false }, "off"],
    [{ thinking_budget: 512, reasoning_effort: "max" }, "max"],
    [{ reasoning: { max_tokens: 1_000 } }, "low"],
    [{ think: true }, "high"],
    [{ think: false }, "off"],
    [{ think: "low" }, "low"],
    [{ think: false, reasoning_effort: "high" }, "high"],
    [{ options: { think: true } }, "high"],
    [{ extra_body: { enable_thinking: false } }, "off"],
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
