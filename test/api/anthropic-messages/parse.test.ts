import { describe, expect, test } from "vitest";
import { parseMessagesRequest, parsePrompt } from "../../../src/api/anthropic-messages/parse.js";
import type { MessagesBody } from "../../../src/api/anthropic-messages/schema.js";
import { Seals } from "../../../src/api/anthropic-messages/seals.js";
import { GatewayError } from "../../../src/core/errors.js";
import { TextSealer } from "../../../src/lib/text-sealer.js";

const seals = new Seals(new TextSealer("secret"));
const context = {
  principal: { keyName: "test", scopes: ["chat" as const] },
  signal: new AbortController().signal,
  seals,
};
const hello = { model: "kimi", messages: [{ role: "user", content: "hi" }] };

function parse(body: Partial<MessagesBody>) {
  return parseMessagesRequest({ ...hello, ...body }, context);
}

function refusal(body: Partial<MessagesBody>): string {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof GatewayError) return `${error.param}: ${error.message}`;
  }
  return "accepted";
}

const text = (value: string) => [{ type: "text", text: value }];
const tool = (name: string, more = {}) => ({ name, input_schema: { type: "object" }, ...more });

describe("messages", () => {
  test("a text is the same as one block of it, and marks for caches have no effect", () => {
    const marked = { type: "text", text: "hi", cache_control: { type: "ephemeral" } };
    const expected = parse({
      system: "S",
      messages: [
        { role: "user", content: "hi" },
        { role: "system", content: "hi" },
      ],
    });
    const blocks = parse({
      system: [{ ...marked, text: "S" }],
      messages: [
        { role: "user", content: [marked] },
        { role: "system", content: [marked] },
      ],
    });
    expect(blocks.messages).toEqual(expected.messages);
    expect(expected.messages).toEqual([
      { role: "system", content: text("S") },
      { role: "system", content: text("hi") },
      { role: "user", content: text("hi") },
    ]);
  });

  test("the header for Anthropic's accounts is no system text", () => {
    const header = "x-anthropic-billing-header: cc_version=1; cch=abc;";
    const { messages } = parse({
      system: [
        { type: "text", text: header },
        { type: "text", text: "S" },
      ],
    });
    expect(messages[0]).toEqual({ role: "system", content: text("S") });
  });

  test("results of tools stand where they are, with what is in them", () => {
    const content = [
      { type: "text", text: "Before" },
      { type: "tool_result", tool_use_id: "a", content: "42" },
      { type: "tool_result", tool_use_id: "b", is_error: true, content: [{ type: "text", text: "no file" }] },
      {
        type: "tool_result",
        tool_use_id: "c",
        content: [
          { type: "tool_reference", tool_name: "Edit" },
          { type: "search_result", title: "T", source: "S", content: [{ type: "text", text: "found" }] },
        ],
      },
      { type: "text", text: "After" },
      { type: "text", text: "and more" },
    ];
    expect(parse({ messages: [{ role: "user", content }] }).messages).toEqual([
      { role: "user", content: text("Before") },
      { role: "tool", toolCallId: "a", content: text("42") },
      { role: "tool", toolCallId: "b", content: text("Error: no file") },
      {
        role: "tool",
        toolCallId: "c",
        content: text(
          "The function Edit is available now.\n[search result: T, S]\nfound\n[end of search result]",
        ),
      },
      { role: "user", content: text("After\nand more") },
    ]);
  });

  test("pictures and documents of every source", () => {
    const source = { type: "base64", media_type: "application/pdf", data: "JVBERi0=" };
    const content = [
      { type: "image", source: { type: "url", url: "https://example.org/a.png" } },
      { type: "image", source: { type: "file", file_id: "file-1" } },
      { type: "document", title: "Report", context: "From May", source },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "plain" }, title: "Note" },
      { type: "document", source: { type: "content", content: [{ type: "text", text: "inner" }] } },
    ];
    expect(parse({ messages: [{ role: "user", content }] }).messages[0]?.content).toEqual([
      {
        type: "image",
        source: { kind: "link", url: "https://example.org/a.png" },
        path: "messages[0].content[0].source",
      },
      { type: "image", source: { kind: "file-id", id: "file-1" }, path: "messages[0].content[1].source" },
      { type: "text", text: "From May" },
      {
        type: "file",
        name: "Report.pdf",
        mediaType: "application/pdf",
        source: { kind: "bytes", base64: "JVBERi0=" },
        path: "messages[0].content[2].source",
      },
      {
        type: "text",
        text: "[document: Note]\nplain\n[end of document]\n[document]\ninner\n[end of document]",
      },
    ]);
  });

  test("thinking comes back as reasoning if it was signed here, and is left out otherwise", () => {
    const answer = (thinking: string, signature: string) => {
      const content = [
        { type: "thinking", thinking, signature },
        { type: "redacted_thinking", data: "x" },
        ...text("A"),
      ];
      return parse({ messages: [...hello.messages, { role: "assistant", content }, ...hello.messages] })
        .messages[1];
    };
    const plain = { role: "assistant", content: text("A") };
    const signed = seals.signThinking("hm", { isOmitted: false });
    expect(answer("hm", signed)).toEqual({ ...plain, reasoning: "hm" });
    expect(answer("hm!", signed)).toEqual(plain);
    expect(answer("hm", "EqQBCgIYAhIM")).toEqual(plain);
    expect(answer("", seals.signThinking("hm", { isOmitted: true }))).toEqual({ ...plain, reasoning: "hm" });
  });

  test("what our own searches found is left out of the history, what others found is told", () => {
    const search = (encrypted_content: string) => {
      const content = [
        { type: "server_tool_use", id: "s", name: "web_search", input: { query: "moon" } },
        {
          type: "web_search_tool_result",
          tool_use_id: "s",
          content: [{ type: "web_search_result", title: "T", url: "https://t.example", encrypted_content }],
        },
        ...text("A"),
      ];
      return parse({ messages: [...hello.messages, { role: "assistant", content }, ...hello.messages] })
        .messages[1];
    };
    expect(search(seals.signResult("https://t.example"))?.content).toEqual(text("A"));
    expect(search("other")?.content).toEqual([
      { type: "text", text: "\n[search of the web: moon]\n- T https://t.example\n" },
      { type: "text", text: "A" },
    ]);
  });

  test.each<[Partial<MessagesBody>, RegExp]>([
    [{ messages: [] }, /^messages: .*at least one/],
    [{ messages: [{ role: "tool", content: "x" }] }, /^messages\[0\]\.role: /],
    [
      { messages: [{ role: "user", content: [{ type: "video" }] }] },
      /^messages\[0\]\.content\[0\]\.type: .*“video”/,
    ],
    [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, /^messages\[0\]\.content\[0\]\.text: /],
    [
      { messages: [{ role: "user", content: [{ type: "image", source: { type: "base64" } }] }] },
      /^messages\[0\]\.content\[0\]\.source\.data: /,
    ],
    [
      { messages: [...hello.messages, { role: "assistant", content: "{" }] },
      /^messages: .*end with a message of the user/,
    ],
    [
      { tools: [{ type: "code_execution_20250825", name: "c" }] },
      /^tools\[0\]\.type: .*“code_execution_20250825”/,
    ],
    [{ tools: [tool("a", { input_schema: 5 })] }, /^tools\[0\]\.input_schema: /],
    [{ tools: [tool("a")], tool_choice: { type: "tool", name: "b" } }, /^tool_choice: .*“b”/],
    [{ output_config: { format: { type: "xml" } } }, /^output_config\.format: /],
    [{ thinking: { type: "enabled", budget_tokens: "many" } }, /^thinking\.budget_tokens: /],
  ])("a refusal names the field: %j", (body, expected) => {
    expect(refusal(body)).toMatch(expected);
  });
});

test("system texts go in front of the user's messages that they stand behind, but not of results", () => {
  const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "42" }] };
  const call = { role: "assistant", content: [{ type: "tool_use", id: "a", name: "f", input: {} }] };
  const system = (content: string) => ({ role: "system", content });
  const { messages } = parse({
    messages: [...hello.messages, system("1"), system("2"), call, result, system("3")],
  });
  const shown = messages.map(({ role, content }) => [
    role,
    content[0]?.type === "text" ? content[0].text : "",
  ]);
  expect(shown).toEqual([
    ["system", "1"],
    ["system", "2"],
    ["user", "hi"],
    ["assistant", ""],
    ["tool", "42"],
    ["system", "3"],
  ]);
});

describe("tools", () => {
  const names = (body: Partial<MessagesBody>) => parse(body).tools?.map(({ name }) => name);
  const referring = (name: string) => ({
    role: "user",
    content: [
      { type: "tool_result", tool_use_id: "x", content: [{ type: "tool_reference", tool_name: name }] },
    ],
  });
  const deferred = [tool("Read"), tool("Edit", { defer_loading: true }), tool("DeferredToolPlaceholder")];

  test("deferred ones are offered once something refers to them, placeholders never", () => {
    expect(names({ tools: deferred })).toEqual(["Read"]);
    expect(names({ tools: deferred, messages: [referring("Edit")] })).toEqual(["Read", "Edit"]);
    const search = { type: "tool_search_tool_bm25_20251119", name: "tool_search_tool_bm25" };
    expect(names({ tools: [...deferred, search] })).toEqual(["Read", "Edit"]);
    const change = (type: string, of: object) => ({ role: "system", content: [{ type, tool: of }] });
    const edit = { type: "tool_reference", name: "Edit" };
    const defined = { type: "tool_definition", definition: tool("New") };
    const messages = [
      ...hello.messages,
      change("tool_addition", edit),
      change("tool_addition", defined),
      change("tool_removal", { type: "tool_reference", name: "Read" }),
    ];
    expect(names({ tools: deferred, messages })).toEqual(["Edit", "New"]);
  });

  test("those of a known type are functions, a search is one of the upstream", () => {
    const tools = [
      { type: "bash_20250124", name: "bash" },
      { type: "text_editor_20250728", name: "str_replace_based_edit_tool" },
      { type: "memory_20250818", name: "memory" },
      { type: "web_search_20260318", name: "web_search", max_uses: 5 },
    ];
    const parsed = parse({ tools, tool_choice: { type: "any", disable_parallel_tool_use: true } });
    expect(parsed).toMatchObject({
      search: true,
      citations: "annotations",
      toolChoice: "required",
      parallelToolCalls: false,
      tools: [{ name: "bash" }, { name: "str_replace_based_edit_tool" }, { name: "memory" }],
    });
    expect(parsed.requestedFeatures).toContainEqual({
      parameter: "tools[3].max_uses",
      name: "max_uses",
      value: 5,
      feature: "nothing",
    });
    const only = parse({ tools: [tools[3] ?? {}], tool_choice: { type: "tool", name: "web_search" } });
    expect([only.tools, only.toolChoice, only.search]).toEqual([undefined, undefined, true]);
  });
});

test.each<[Partial<MessagesBody>, string | undefined]>([
  [{}, undefined],
  [{ thinking: { type: "adaptive" } }, undefined],
  [{ thinking: { type: "between_tools" } }, undefined],
  [{ thinking: { type: "enabled" } }, "high"],
  [{ thinking: { type: "enabled", budget_tokens: 1_024 } }, "low"],
  [{ thinking: { type: "enabled", budget_tokens: 32_000 } }, "max"],
  [{ thinking: { type: "adaptive" }, output_config: { effort: "high" } }, undefined],
  [{ thinking: { type: "adaptive" }, output_config: { effort: "max" } }, "max"],
  [{ thinking: { type: "enabled" }, output_config: { effort: "low" } }, "low"],
  [{ output_config: { effort: "low" } }, undefined],
  [{ output_config: { effort: "newer" } }, undefined],
  [{ thinking: { type: "disabled" }, output_config: { effort: "max" } }, "off"],
])("only an effort above the default or a budget asks for thinking: %j → %s", (body, expected) => {
  expect(parse(body).thinking).toBe(expected);
});

test("unknown fields are ignored, and named", () => {
  const body = { context_management: { edits: [] }, service_tier: "auto", "b\u00e4d": 1, container: null };
  const { requestedFeatures } = parse({ ...hello, ...body });
  expect(requestedFeatures.map(({ parameter, feature }) => [parameter, feature])).toEqual([
    ["context_management", "nothing"],
    ["service_tier", "nothing"],
    ["b?d", "nothing"],
  ]);
});

test("limits, sampling and the format of the answer", () => {
  const schema = { type: "object", properties: { title: { type: "string" } } };
  const parsed = parse({
    max_tokens: 0,
    stop_sequences: ["", "END"],
    temperature: 0.5,
    top_k: 3,
    output_config: { format: { type: "json_schema", schema } },
  });
  expect(parsed).toMatchObject({
    limits: { maxTokens: 1, stop: ["END"] },
    sampling: { temperature: 0.5, top_k: 3 },
    responseFormat: { type: "json-schema", name: "answer", schema },
    usage: "early and final",
  });
  expect(parsed.requestedFeatures).toContainEqual(
    expect.objectContaining({
      parameter: "output_config.format",
      feature: "output-format",
      isRequired: true,
    }),
  );
  expect(parse({ output_format: { type: "json_schema", schema } }).responseFormat).toEqual(
    parsed.responseFormat,
  );
});

test.each([
  [JSON.stringify({ device_id: "d", session_id: "s-1" }), "s-1"],
  ["user_0123_account__session_0f-9a", "0f-9a"],
  ["somebody", undefined],
])("the session of metadata.user_id %s is %s", (user_id, expected) => {
  expect(parse({ metadata: { user_id } }).affinity).toBe(expected);
});

test("what is counted may end with an answer", () => {
  const body = { model: "kimi", messages: [{ role: "assistant", content: "A" }], tools: [tool("Read")] };
  expect(parsePrompt(body, seals)).toMatchObject({
    messages: [{ role: "assistant" }],
    tools: [{ name: "Read" }],
  });
});
