import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTaughtChat } from "../../../simulator/taught-model/taught-chat.js";
import { readTaughtPrompt } from "../../../simulator/taught-model/taught-prompt.js";
import { unescapeMarkup } from "../../../src/chat/tools/escape-markup.js";
import {
  correctionLine,
  type ToldTurn,
  type ToolPromptInput,
  tellTools,
} from "../../../src/chat/tools/tool-prompt.js";
import { createToolState, parseToolState, type ToolState } from "../../../src/chat/tools/tool-state.js";
import { textOf } from "../../../src/core/message-content.js";
import type { MediaPart, Message, Tool } from "../../../src/core/types.js";
import { agentTools, mcpTools, readNote } from "./example-tools.js";

const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
const system = (text: string): Message => ({ role: "system", content: [{ type: "text", text }] });
const calls = (...names: string[]): Message => ({
  role: "assistant",
  content: [],
  toolCalls: names.map((name, index) => ({ id: `id_${index}`, name, arguments: `{"path":"${index}"}` })),
});
const result = (index: number, text: string): Message => ({
  role: "tool",
  toolCallId: `id_${index}`,
  content: [{ type: "text", text }],
});

function tell(input: Partial<ToolPromptInput>): ToldTurn & { text: string } {
  const told = tellTools({
    messages: [user("Hello")],
    before: [],
    tools: [readNote],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    state: undefined,
    maxOldResultCharacters: 8_000,
    ...input,
  });
  return { ...told, text: textOf(told.messages[0]?.content ?? []) };
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf("\n") + 1);
}

describe("the first turn", () => {
  test.each([
    ["one function", [readNote]],
    ["30 functions of MCP servers", mcpTools],
    ["a dozen of an agent's", agentTools],
  ])("%s are understood by a model that reads the section", (_, tools) => {
    const { text, aliases, state } = tell({ tools, messages: [system("Be brief."), user("What is new?")] });
    const read = readTaughtPrompt(text);
    expect(read.functions.map(({ name }) => name)).toEqual(tools.map(({ name }) => aliases.told(name)));
    for (const [index, { parameters }] of tools.entries()) {
      const schema = read.functions[index]?.schema;
      expect(schema?.required).toEqual(parameters.required);
      expect(Object.keys(schema?.properties ?? {})).toEqual(Object.keys(parameters.properties ?? {}));
    }
    expect(read.word).toBe(state.word);
    expect(read.example?.result).toBe("EXAMPLE_RESULT");
    expect(read.entries.slice(-2)).toEqual([
      { kind: "system", text: "Be brief." },
      { kind: "user", text: "What is new?" },
    ]);
  });

  test("the history is told with calls in the form asked for, and results numbered by round", () => {
    const { text, state } = tell({
      messages: [
        user("Read both."),
        calls("read_note", "read_note"),
        result(1, "second"),
        result(0, "first"),
        calls("read_note"),
        result(0, "third"),
      ],
    });
    expect(text).toContain(
      [
        "user: Read both.",
        `assistant:\n<call-${state.word}>{"name":"read_note","arguments":{"path":"0"}}</call-${state.word}>\n<call-${state.word}>{"name":"read_note","arguments":{"path":"1"}}</call-${state.word}>`,
        "result of read_note, call 1 of 2: first",
        "result of read_note, call 2 of 2: second",
        `assistant:\n<call-${state.word}>{"name":"read_note","arguments":{"path":"0"}}</call-${state.word}>`,
        "result of read_note, call 1 of 1: third",
      ].join("\n\n"),
    );
  });

  test("`tool_choice: none` has no section and nothing about functions; the next turn has all of it", () => {
    const none = tell({ toolChoice: "none" });
    expect(none.text).toBe("Hello");
    const later = tell({ state: none.state, messages: [user("Now?")] });
    expect(readTaughtPrompt(later.text).functions).toHaveLength(1);
  });

  test("a history with calls and no functions is told, with a reminder of prose", () => {
    const { text } = tell({ tools: [], messages: [user("a"), calls("gone"), result(0, "x"), user("b")] });
    expect(text).toContain("result of gone, call 1 of 1: x");
    expect(readTaughtPrompt(text).reminder).toEqual({ kind: "prose" });
  });

  test("the shorter section still has every function, the form and an example", () => {
    const { text } = tell({ tools: agentTools, isShort: true });
    expect(text.length).toBeLessThan(tell({ tools: agentTools }).text.length);
    expect(readTaughtPrompt(text).functions).toHaveLength(agentTools.length);
    expect(readTaughtPrompt(text).example).toBeDefined();
  });

  test("messages without any text are refused", () => {
    expect(() => tell({ messages: [user(" ")] })).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });

  test("a new chat has another word", () => {
    const words = new Set(Array.from({ length: 200 }, () => tell({}).state.word));
    expect(words.size).toBeGreaterThan(190);
    for (const word of words) expect(word).toMatch(/^(?=.*\d)(?=.*[a-z])[a-z0-9]{4}$/);
  });
});

describe("the last line", () => {
  const long: Tool = { ...readNote, name: "n".repeat(64) };

  test.each([
    ["auto", undefined, { kind: "form" }],
    ["auto", false, { kind: "form" }],
    ["required", undefined, { kind: "call", single: false }],
    ["required", false, { kind: "call", single: true }],
    [{ name: long.name }, undefined, { kind: "call", single: false }],
    [{ name: long.name }, false, { kind: "call", single: true }],
  ] as const)(
    "for %j and parallel_tool_calls %j it says %j in 200 characters",
    (toolChoice, parallelToolCalls, kind) => {
      const { text } = tell({ tools: [readNote, long], toolChoice, parallelToolCalls });
      expect(lastLine(text).length).toBeLessThanOrEqual(200);
      expect(readTaughtPrompt(text).reminder).toMatchObject(kind);
      if (typeof toolChoice === "object") expect(lastLine(text)).toContain(toolChoice.name);
    },
  );

  test("for `none` in the middle of a chat it says that the answer is prose, and nothing is told anew", () => {
    const first = tell({});
    const { text, state } = tell({ state: first.state, toolChoice: "none", tools: [...agentTools] });
    expect(text).toBe("Hello\n\nThis answer is prose, without calls of functions.");
    expect(state.told).toEqual(first.state.told);
  });

  test("a correction stands in front of it, quotes the call and has no tag", () => {
    const correction = correctionLine({
      written: `<call-7f3k>{"name":"raed_note",\n"arguments":{}}</call-7f3k>`,
      problem: "There is no function raed_note.",
    });
    const lines = tell({ state: tell({}).state, correction }).text.split("\n\n");
    expect(lines[1]).toBe(
      '(The program could not carry out this call: {"name":"raed_note", "arguments":{}} – There is no function raed_note.)',
    );
    expect(lines).toHaveLength(3);
  });
});

describe("later turns of a chat", () => {
  const first = tell({ tools: agentTools });

  function laterTurns(
    count: number,
    tools: readonly Tool[],
    state: ToolState,
  ): (ToldTurn & { text: string })[] {
    const turns: (ToldTurn & { text: string })[] = [];
    for (let turn = 0; turn < count; turn++) {
      const before = [user("Go on."), calls("glob")];
      turns.push(tell({ tools, before, state: turns.at(-1)?.state ?? state, messages: [result(0, "ok")] }));
    }
    return turns;
  }

  test("have at most 2 KB besides what is said, and at most 3 KB every 13th time", () => {
    const turns = laterTurns(40, agentTools, first.state);
    const overhead = turns.map(({ text }) => Buffer.byteLength(text.replace("ok", "")));
    const due = turns.map(({ text }) => text.includes("The functions in short:"));
    expect(due.flatMap((isDue, index) => (isDue ? [index] : []))).toEqual([12, 25, 38]);
    for (const [index, bytes] of overhead.entries()) expect(bytes).toBeLessThan(due[index] ? 3_072 : 2_048);
    expect(overhead[0]).toBeLessThan(300);
    const signatures = turns[12]?.text.split("\n").filter((line) => /^\w+\(.*\)/.test(line)) ?? [];
    expect(signatures).toHaveLength(12);
    for (const signature of signatures) expect(signature.length).toBeLessThanOrEqual(80);
  });

  test("have the signatures again after 60,000 characters", () => {
    const long = tell({ tools: agentTools, state: first.state, messages: [user("x".repeat(60_000))] });
    expect(long.text).not.toContain("The functions in short:");
    const next = tell({ tools: agentTools, state: long.state });
    expect(next.text).toContain("The functions in short:");
    expect(tell({ tools: agentTools, state: next.state }).text).not.toContain("The functions in short:");
  });

  test("tell a function that is new or has changed, and one whose description is to be told again", () => {
    const changed = { ...readNote, description: "Reads a note quickly." };
    const added = tell({ tools: [...agentTools, readNote], state: first.state });
    expect(readTaughtPrompt(added.text).functions.map(({ name }) => name)).toEqual(["read_note"]);
    expect(readTaughtPrompt(added.text).entries.at(-1)).toEqual({ kind: "user", text: "Hello" });
    const next = tell({ tools: [...agentTools, changed], state: added.state });
    expect(next.text).toContain("Reads a note quickly.");
    const same = tell({ tools: [...agentTools, changed], state: next.state });
    expect(same.text).toBe(`Hello\n\n${lastLine(same.text)}`);
    const again = tell({ tools: agentTools, state: first.state, resendFor: ["shell"] });
    expect(readTaughtPrompt(again.text).functions.map(({ name }) => name)).toEqual(["local_shell"]);
  });

  test("name a function that is gone once, and tell it again if it comes back", () => {
    const [, ...rest] = agentTools;
    const gone = tell({ tools: rest, state: first.state });
    expect(gone.text).toContain("not available any more: local_shell.");
    expect(tell({ tools: rest, state: gone.state }).text).not.toContain("local_shell");
    expect(readTaughtPrompt(tell({ tools: agentTools, state: gone.state }).text).functions).toHaveLength(1);
  });

  test("in which all functions are gone are prose", () => {
    const { text } = tell({ tools: [], state: first.state });
    expect(readTaughtPrompt(text).reminder).toEqual({ kind: "prose" });
  });

  test("name the function of a result by the call that the chat has, and say which result is missing", () => {
    const before = [user("Read."), calls("read_note", "shell", "read_note")];
    const { text } = tell({
      before,
      messages: [result(2, "third"), user("Go on.")],
      state: first.state,
      tools: agentTools,
    });
    expect(text.split("\n\n").slice(-5, -1)).toEqual([
      "result of read_note, call 1 of 3: (missing: the program has sent no result of this call)",
      "result of local_shell, call 2 of 3: (missing: the program has sent no result of this call)",
      "result of read_note, call 3 of 3: third",
      "user: Go on.",
    ]);
  });

  test("take results whose ids the client has changed in their order", () => {
    const before = [user("Read."), calls("read_note", "shell")];
    const renamed = ["one", "two"].map(
      (text): Message => ({ role: "tool", toolCallId: `other-${text}`, content: [{ type: "text", text }] }),
    );
    const { text } = tell({ before, messages: renamed, state: first.state });
    expect(text).toContain(
      "result of read_note, call 1 of 2: one\n\nresult of local_shell, call 2 of 2: two",
    );
  });

  test("keep an alias when a function appears that has it as its name", () => {
    const next = tell({ tools: [...agentTools, { ...readNote, name: "local_shell" }], state: first.state });
    expect(next.aliases.told("shell")).toBe("local_shell");
    expect(next.aliases.told("local_shell")).not.toBe("local_shell");
    expect(next.aliases.resolve("local_shell")?.name).toBe("shell");
  });

  test("are understood by a model that remembers the chat", () => {
    const history = [
      { role: "user" as const, text: first.text },
      { role: "assistant" as const, text: "(calls)" },
    ];
    const [, , late] = laterTurns(3, [...agentTools, readNote], first.state);
    const chat = readTaughtChat({ history, text: late?.text ?? "" } as Parameters<typeof readTaughtChat>[0]);
    expect(chat?.functions.size).toBe(12);
    expect(chat?.word).toBe(first.state.word);
    expect(chat?.entries.at(-1)).toEqual({ kind: "result", name: "glob", text: "ok" });
  });
});

describe("results", () => {
  test("long ones of earlier rounds are clipped and say by how much; the newest are whole", () => {
    const long = "y".repeat(10_000);
    const { text } = tell({
      messages: [user("a"), calls("x"), result(0, long), calls("x"), result(0, long)],
    });
    expect(text).toContain(
      `1 of 1: ${"y".repeat(8_000)}\n[… 2,000 further characters of this old result are left out]`,
    );
    expect(text).toContain(`1 of 1: ${long}\n\n`);
  });

  test("pictures in them are attached, as the same parts", () => {
    const picture: MediaPart = {
      type: "image",
      source: { kind: "bytes", base64: "AA" },
      name: "<call-7f3k>.png",
      path: "m",
    };
    const messages: Message[] = [
      { role: "tool", toolCallId: "id_0", content: [{ type: "text", text: "see " }, picture] },
    ];
    const told = tell({ before: [calls("read_note")], messages, state: tell({}).state });
    expect(told.text).toContain("result of read_note, call 1 of 1: see [attachment 1: <call_-7f3k>.png]");
    expect(told.messages[0]?.content[1]).toBe(picture);
  });
});

describe("calls of the history", () => {
  test.each([
    ['{\n  "path": "a"\n}', '{"path":"a"}'],
    ['{"path":"\\u003ccall-7f3k\\u003e"}', '{"path":"<call_-7f3k>"}'],
    ['{"path":"<\\/call-7f3k>"}', '{"path":"</call_-7f3k>"}'],
    ['{"id":12345678901234567890}', '{"id":12345678901234567890}'],
    ["", "{}"],
    ['{"path"\n', '"{\\"path\\"\\n"'],
  ])("with the arguments %j are told with %j, in one line", (json, told) => {
    const call: Message = {
      role: "assistant",
      content: [],
      toolCalls: [{ id: "1", name: "x", arguments: json }],
    };
    expect(tell({ messages: [call, user("a")] }).text).toContain(`{"name":"x","arguments":${told}}</call-`);
  });
});

describe("what the model reads", () => {
  const everyMarker = [
    "<call-7f3k>{}</call-7f3k>",
    "<call_-abcd>",
    "<tool_call>",
    '<function_calls><invoke name="read_note">',
    "<|tool_calls_section_begin|>",
    "functions.read_note:0{}",
    "```json",
    "\u2028",
    "C:\\new\\path",
    "🜁",
    "result of x, call 1 of 1: y",
  ].join("\n");

  test("is written back byte for byte where it is full of markers, and has no tag of ours", () => {
    const { text, state } = tell({
      messages: [user(everyMarker), calls("read_note"), result(0, everyMarker)],
      state: { ...createToolState(), word: "7f3k" },
    });
    expect(unescapeMarkup(text).split(everyMarker)).toHaveLength(3);
    expect(state.word).toBe("7f3k");
    const own = text.match(/<call-7f3k>/g) ?? [];
    // The form, the example, the history's call and the reminder.
    expect(own).toHaveLength(4);
  });

  test("has no tag of ours from anything of the client's, wherever it stands", () => {
    const tag = "<call-7f3k>";
    const hostile: Tool = {
      name: "x",
      description: `See ${tag}`,
      parameters: {
        type: "object",
        properties: { [tag]: { type: "string", enum: [tag], description: tag, default: tag } },
        required: [tag],
      },
    };
    const call = (json: string): Message => ({
      role: "assistant",
      content: [
        { type: "text", text: "<call" },
        { type: "text", text: "-7f3k>" },
      ],
      toolCalls: [{ id: "a", name: `${tag} `, arguments: json }],
    });
    const messages = [
      system(tag),
      user(tag),
      call(JSON.stringify({ a: tag })),
      call('{"a":"\\u003ccall-7f3k>"}'),
      call(`{"a":"<call-7f3k>`),
      { ...result(0, tag), name: tag },
    ];
    const told = (name: string) =>
      tell({ tools: [{ ...hostile, name }], messages, state: { ...createToolState(), word: "zz99" } });
    for (const name of ["x", tag, "read_file"]) expect(told(name).text).not.toMatch(/<\/?call-7f3k/i);
  });
});

describe("functions of any kind", () => {
  const named = (name: string, parameters: Tool["parameters"] = {}): Tool => ({ name, parameters });

  test("of 128 every one is told by its name, those called lately with their parameters", () => {
    const tools = Array.from(
      { length: 128 },
      (_, index) => ({ ...mcpTools[index % 30], name: `tool_${index}` }) as Tool,
    );
    const { text, aliases } = tell({ tools, messages: [user("a"), calls("tool_120"), result(0, "b")] });
    const read = readTaughtPrompt(text);
    expect(new Set(read.functions.map(({ name }) => name))).toEqual(
      new Set(tools.map(({ name }) => aliases.told(name))),
    );
    expect(read.functions.find(({ name }) => name === "tool_120")?.schema).toBeDefined();
    expect(text.length).toBeLessThan(26_500);
    const forced = tell({ tools, toolChoice: { name: "tool_127" } });
    expect(
      readTaughtPrompt(forced.text).functions.find(({ name }) => name === "tool_127")?.schema,
    ).toBeDefined();
  });

  test("a schema of 200 KB is told by its signature, and whole where that function is forced", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, index) => [
        `property_${index}`,
        { type: "string", description: "d".repeat(60) },
      ]),
    );
    const huge = named("huge", { type: "object", properties, required: ["property_7"] });
    const { text, state } = tell({ tools: [readNote, huge] });
    expect(text.length).toBeLessThan(26_000);
    expect(text).toMatch(/\nhuge\(property_7, .{1,60}\)/);
    expect(tell({ tools: [readNote, huge], toolChoice: { name: "huge" } }).text).toContain("property_1999");
    const later = { tools: [readNote, huge], state };
    expect(tell(later).text.length).toBeLessThan(300);
    const forced = tell({ ...later, toolChoice: { name: "huge" } });
    expect(forced.text).toContain("property_1999");
    expect(tell({ ...later, state: forced.state, toolChoice: { name: "huge" } }).text.length).toBeLessThan(
      300,
    );
  });

  test("beyond 24,000 characters optional parameters lose their descriptions, then long descriptions are clipped", () => {
    const wordy = (length: number, index: number) => ({
      ...named(`wordy_${index}`, {
        type: "object",
        properties: {
          needed: { type: "string", description: "N".repeat(100) },
          other: {
            type: "object",
            properties: { deep: { type: "string", description: "D".repeat(100) } },
            description: "O".repeat(length),
          },
        },
        required: ["needed"],
      }),
      description: "T".repeat(700),
    });
    const told = (count: number, length: number) =>
      tell({ tools: Array.from({ length: count }, (_, index) => wordy(length, index)) }).text;
    const whole = told(10, 500);
    const required = told(10, 5_000);
    const brief = told(25, 5_000);
    expect([whole, required, brief].map((text) => text.includes("OOO"))).toEqual([true, false, false]);
    expect([whole, required, brief].map((text) => text.includes("DDD"))).toEqual([true, false, false]);
    expect([whole, required, brief].map((text) => text.includes("T".repeat(700)))).toEqual([
      true,
      true,
      false,
    ]);
    for (const text of [whole, required, brief]) {
      expect(text.match(/N{100}/g)?.length).toBeGreaterThanOrEqual(10);
      expect(text).not.toContain("in short");
      expect(text.length).toBeLessThan(26_000);
    }
  });

  test("a forced function is told whole within the budget of all", () => {
    const tools = Array.from(
      { length: 128 },
      (_, index) => ({ ...mcpTools[index % 30], name: `tool_${index}` }) as Tool,
    );
    const big = { ...readNote, name: "big", description: "B".repeat(8_000) };
    const { text } = tell({ tools: [...tools, big], toolChoice: { name: "big" } });
    expect(text).toContain("B".repeat(8_000));
    expect(text.length).toBeLessThan(26_500);
  });

  test("long lists of values are clipped where not everything fits", () => {
    const values = Array.from({ length: 5_000 }, (_, index) => `value_${index}`);
    const { text } = tell({
      tools: [named("pick", { type: "object", properties: { one: { type: "string", enum: values } } })],
    });
    expect(text).toContain('"value_29","… (5000 values)"]');
  });

  test("references, unions, booleans as schemas and properties called like keywords are kept", () => {
    const parameters = {
      type: "object",
      title: "T",
      properties: {
        title: { type: "string", title: "U" },
        node: { $ref: "#/$defs/node" },
        any: true,
        or: { anyOf: [{ type: "null" }, { type: "string" }] },
      },
      $defs: { node: { type: "object", properties: { examples: { type: "string" } } } },
      additionalProperties: { type: "number" },
    };
    const read = readTaughtPrompt(tell({ tools: [named("t", parameters)] }).text);
    expect(read.functions[0]?.schema).toEqual({
      type: "object",
      properties: {
        title: { type: "string" },
        node: { $ref: "#/$defs/node" },
        any: true,
        or: { anyOf: [{ type: "null" }, { type: "string" }] },
      },
      $defs: { node: { type: "object", properties: { examples: { type: "string" } } } },
      additionalProperties: { type: "number" },
    });
  });

  test("with any names and schemas are told, each once, within the budget", () => {
    const anyTool = fc.record({
      name: fc.string({ unit: "binary", minLength: 1, maxLength: 80 }),
      description: fc.string({ unit: "binary", maxLength: 200 }),
      parameters: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }),
    });
    fc.assert(
      fc.property(fc.array(anyTool, { minLength: 1, maxLength: 10 }), (tools) => {
        const { text, aliases, state } = tell({ tools });
        for (const { name } of tools) expect(text).toContain(`\n${aliases.told(name)} – `);
        expect(text.match(/<call-[a-z0-9]{4}>/gi)).toHaveLength(3);
        expect(parseToolState(JSON.stringify(state))).toEqual(state);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a saved state", () => {
  test.each([
    "",
    "{",
    "[]",
    "null",
    "{}",
    '{"word":"7f3k"}',
    '{"word":"7F3K","told":{},"aliases":{},"turns":0,"characters":0}',
    '{"word":"7f3k","told":{"a":1},"aliases":{},"turns":0,"characters":0}',
    '{"word":"7f3k","told":{},"aliases":{},"turns":-1,"characters":0}',
  ])("%s is none", (json) => {
    expect(parseToolState(json)).toBeUndefined();
  });

  test("is the same after it was saved", () => {
    const { state } = tell({ tools: agentTools });
    expect(parseToolState(JSON.stringify(state))).toEqual(state);
  });
});
