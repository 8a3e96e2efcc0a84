import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";
import { type Gateway, type KimiKind, postChat, startGateway } from "../../gateway.js";

function fn(name: string, properties: Record<string, unknown>, required: string[]): ChatCompletionTool {
  const parameters = { type: "object", properties, required };
  return { type: "function", function: { name, description: `Does ${name}.`, parameters } };
}

const text = { type: "string" };
const tools = [
  fn("read_note", { path: text }, ["path"]),
  fn("save_note", { path: text, text, tags: { type: "array", items: text } }, ["path", "text"]),
  fn("shell", { command: text }, ["command"]),
];

type Call = [name: string, args: unknown];
type Asked = { content: string; calls: Call[]; finish: string | null };

/** Asks with a stream, or not, and returns what the client has at the end. */
async function ask(
  gateway: Gateway,
  content: string,
  { stream, ...fields }: { stream: boolean } & Record<string, unknown>,
): Promise<Asked> {
  const messages: ChatCompletionMessageParam[] = [{ role: "user", content }];
  const body = { model: "kimi", messages, tools, ...fields };
  const { completions } = gateway.client.chat;
  const final = stream
    ? await completions.stream(body).finalChatCompletion()
    : await completions.create({ ...body, stream: false });
  const [choice] = final.choices;
  return {
    content: choice?.message.content ?? "",
    finish: choice?.finish_reason ?? null,
    calls: (choice?.message.tool_calls ?? []).flatMap((call): Call[] =>
      call.type === "function" ? [[call.function.name, JSON.parse(call.function.arguments)]] : [],
    ),
  };
}

const save = 'sim:call save_note {"path":"a.txt","text":"it\'s \\"C:\\\\x\\" \\n"}';
const saved: Call = ["save_note", { path: "a.txt", text: 'it\'s "C:\\x" \n' }];
const called = { content: "", calls: [saved], finish: "tool_calls" };

type Row = [title: string, prompt: string, expected: Partial<Asked>, fields?: Record<string, unknown>];

/** What comes of an answer, by what the model does wrong. */
const rows: Row[] = [
  ["a call", save, called],
  ["text before a call", `sim:say=I save it.\n${save}`, { ...called, content: "I save it." }],
  [
    "parallel calls",
    `${save}\nsim:call read_note {"path":"b"}`,
    { calls: [saved, ["read_note", { path: "b" }]] },
  ],
  [
    "a call of a name that Kimi has, too",
    'sim:call shell {"command":"ls"}',
    { calls: [["shell", { command: "ls" }]] },
  ],
  ...["tool_call", "function_calls", "invoke", "k2", "k2-variants", "tool", "functions-line"].map(
    (family): Row => [`a call in the form ${family}`, `sim:family=${family}\n${save}`, called],
  ),
  ...[
    "no-tag-end",
    "trailing-comma",
    "raw-newline",
    "smart-quotes",
    "fence",
    "double",
    "extra-bracket",
    "json-string",
  ].map((fault): Row => [`a call with the fault ${fault}`, `sim:tool-fault=${fault}\n${save}`, called]),
  ...["unknown-tool", "wrong-arguments", "half-call", "in-thinking"].map(
    (fault): Row => [
      `a call with the fault ${fault}, which is corrected`,
      `sim:tool-fault=${fault}\n${save}`,
      { calls: [saved], finish: "tool_calls" },
    ],
  ),
  ["an invented result", `sim:tool-fault=invent\n${save}`, called],
  ["a refusal", `sim:tool-fault=refuse\n${save}`, called],
  ["a tool of Kimi's", `sim:tool-fault=kimi-tool\n${save}`, { calls: [saved], finish: "tool_calls" }],
  ["no call where one is forced", `sim:tool-fault=silent\n${save}`, called, { tool_choice: "required" }],
  [
    "an announcement where a call is forced",
    `sim:tool-fault=announce\n${save}`,
    called,
    {
      tool_choice: { type: "function", function: { name: "save_note" } },
    },
  ],
  [
    "one call only",
    `${save}\nsim:call read_note {"path":"b"}`,
    { calls: [saved] },
    { parallel_tool_calls: false },
  ],
  [
    "calls where there should be none",
    `sim:tool-fault=call-anyway\n${save}`,
    { calls: [], finish: "stop" },
    { tool_choice: "none" },
  ],
  [
    "an answer about the example as if it had happened",
    "sim:tool-fault=cite-example",
    { calls: [], finish: "stop" },
  ],
  ["prose", "hello", { calls: [], finish: "stop" }],
];

describe.each<KimiKind>(["kimi-web", "kimi-legacy"])("functions on %s", (kind) => {
  // The older protocol has no events for Kimi's own tools and for reasoning.
  const possible = rows.filter(([title]) => kind === "kimi-web" || !/tool of Kimi|in-thinking/.test(title));
  test.each(possible)("%s, streamed and not", async (_, prompt, expected, fields) => {
    const gateway = await startGateway({ kind });
    for (const stream of [true, false])
      expect(await ask(gateway, `${prompt}\n(${stream})`, { stream, ...fields })).toMatchObject(expected);
  });

  test("a forced call that the model never makes is a 502 with its cause", async () => {
    const gateway = await startGateway({ kind });
    const body = {
      messages: [{ role: "user", content: `sim:tool-fault=silent,9\n${save}` }],
      tools,
      tool_choice: "required",
    };
    const response = await postChat(gateway, { model: "kimi", ...body });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: { code: "upstream_protocol", param: "tool_choice" },
    });
  });

  test("a call that cannot be corrected is the text that the model wrote", async () => {
    const gateway = await startGateway({ kind });
    for (const stream of [true, false]) {
      const answer = await ask(gateway, `sim:tool-fault=unknown-tool,9\n${save}\n${stream}`, { stream });
      expect(answer).toMatchObject({ calls: [], finish: "stop" });
      expect(answer.content).toMatch(/^<call-\w{4}>\{"name":"save_note_v2".*<\/call-\w{4}>$/s);
    }
  });
});
