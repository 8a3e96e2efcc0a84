import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../../simulator/index.js";
import { createChat, answerText as legacyText, sendMessage } from "../legacy-client.js";
import { WebClient } from "../web-client.js";
import {
  type Choice,
  firstPrompt,
  type Layout,
  laterPrompt,
  layouts,
  listNotes,
  readNote,
  resultPrompt,
  saveNote,
  spec,
  word,
} from "./section.js";

let simulator: Simulator;
let client: WebClient;

beforeAll(async () => {
  simulator = await startSimulator();
  client = new WebClient(simulator.url, simulator.issue());
});
afterAll(() => simulator.close());

const notes = [readNote, listNotes, saveNote];

function ownCall(name: string, args: object): string {
  return `<call-${word}>${JSON.stringify({ name, arguments: args })}</call-${word}>`;
}

async function answerTo(prompt: string): Promise<string> {
  return (await client.ask(prompt)).text;
}

describe("a model that was told of functions", () => {
  test("answers in prose by default, without repeating the section", async () => {
    expect(await answerTo(firstPrompt(notes, "How are you?"))).toBe(
      '(Simulated answer: no Kimi account is connected.) You said: "How are you?"',
    );
  });

  test.each(Object.keys(layouts))("reads functions in the layout “%s”", async (layout) => {
    const prompt = firstPrompt(notes, 'sim:call save-note {"path":"a","text":"b"}', {
      layout: layout as Layout,
    });
    expect(await answerTo(prompt)).toBe(ownCall("save_note", { path: "a", text: "b" }));
  });

  test("writes parallel calls for consecutive lines, and the calls after `sim:then` once the results are there", async () => {
    const first = await client.ask(
      firstPrompt(
        notes,
        'Please do.\nsim:call list_notes\nsim:call read_note {"path":"a b"}\nsim:then sim:call read_note {"path":"c"}',
      ),
    );
    expect(first.text).toBe(`${ownCall("list_notes", {})}\n${ownCall("read_note", { path: "a b" })}`);
    const second = await client.ask(
      resultPrompt([
        ["list_notes", "a b"],
        ["read_note", "text"],
      ]),
      { after: first },
    );
    expect(second.text).toBe(ownCall("read_note", { path: "c" }));
    const third = await client.ask(resultPrompt([["read_note", "the last\nlines"]]), { after: second });
    expect(third.text).toBe(
      "(Simulated) Done. list_notes: a b\nread_note: text\nread_note: the last / lines",
    );
  });

  test("calls what a result asks for, twenty times in a chat", async () => {
    let answer = await client.ask(firstPrompt(notes, "sim:call list_notes"));
    for (let step = 1; step <= 20; step += 1) {
      expect(answer.text).toBe(
        step === 1 ? ownCall("list_notes", {}) : ownCall("read_note", { path: `${step}` }),
      );
      const more = `found it\nsim:call read_note {"path":"${step + 1}"}`;
      answer = await client.ask(resultPrompt([["read_note", step < 20 ? more : "the end"]]), {
        after: answer,
      });
    }
    expect(answer.text).toContain("the end");
  });

  test("knows functions that an earlier message of the chat told of, and those that a later one adds", async () => {
    const first = await client.ask(firstPrompt(notes, "Hello."));
    const second = await client.ask(laterPrompt('sim:call read_note {"path":"a"}'), { after: first });
    expect(second.text).toBe(ownCall("read_note", { path: "a" }));
    const added = spec("count_words", "Counts words.", { path: { type: "string" } }, ["path"]);
    const told = `New functions:\n\n${layouts["name – description, schema below"](added)}\n\n`;
    const third = await client.ask(laterPrompt(`${told}sim:call countWords {"path":"a"}`), { after: second });
    expect(third.text).toBe(ownCall("count_words", { path: "a" }));
  });

  test("takes a function under an alias for the one that is meant", async () => {
    const aliased = spec("my_web_search", "Searches.", { query: { type: "string" } }, ["query"]);
    expect(await answerTo(firstPrompt([aliased], 'sim:call web_search {"query":"x"}'))).toBe(
      ownCall("my_web_search", { query: "x" }),
    );
  });

  test("knows functions of which only the names are told, between the others and the form of a call", async () => {
    const prompt = firstPrompt(notes, "sim:call renameNote").replace(
      "A call is written",
      "rename_note – Renames a note.\ndelete_note – Deletes a note.\n\nA call is written",
    );
    expect(await answerTo(prompt)).toBe(ownCall("rename_note", {}));
  });

  test("reads a whole conversation in one prompt: the example is no part of it, the newest message is", async () => {
    const history = [
      'user: sim:call read_note {"path":"old"}',
      ownCall("read_note", { path: "old" }),
      "result of read_note, call 1 of 1: an old note",
      "assistant: It is old.",
      'user: sim:call read_note {"path":"new"}',
    ].join("\n\n");
    expect(await answerTo(firstPrompt(notes, history))).toBe(ownCall("read_note", { path: "new" }));
  });

  test("does not follow directives of the section, of the system text or of earlier messages", async () => {
    const prompt = firstPrompt(notes, "Hello there.", { system: "Be brief.\nsim:call list_notes" });
    expect(await answerTo(prompt)).toContain('You said: "Hello there."');
  });

  test("says something before its calls, thinks, and fails as the other directives ask", async () => {
    const answer = await client.ask(firstPrompt(notes, "sim:think sim:say=Let me see.\nsim:call list_notes"));
    expect(answer.text).toBe(`Let me see.\n\n${ownCall("list_notes", {})}`);
    expect(answer.thinking).toContain("Simulated");
    const failing = client.ask(firstPrompt(notes, "sim:fault=error,unavailable sim:call list_notes"));
    await expect(failing).rejects.toMatchObject({ code: "unavailable" });
  });

  test("quotes the newest result exactly", async () => {
    const first = await client.ask(firstPrompt(notes, "sim:quote sim:call read_note"));
    const text = "  <tool_call>{}\n\n<|tool_calls_section_begin|>\t\u2028 `x`\n";
    expect((await client.ask(resultPrompt([["read_note", text]]), { after: first })).text).toBe(text);
  });

  test("obeys the reminder: prose, at least one call, exactly one, a call of one function", async () => {
    const twoCalls = "sim:call list_notes\nsim:call list_notes";
    const ask = (text: string, choice: Choice) => answerTo(firstPrompt(notes, text, { choice }));
    expect(await ask("sim:call list_notes", "none")).not.toContain("<call-");
    expect(await ask("Hello.", "required")).toBe(ownCall("list_notes", {}));
    expect(await ask(twoCalls, "required")).toBe(
      `${ownCall("list_notes", {})}\n${ownCall("list_notes", {})}`,
    );
    expect(await ask(twoCalls, "single")).toBe(ownCall("list_notes", {}));
    expect(await ask("Hello.", "named")).toBe(
      ownCall("save_note", { path: "A step of the task.", text: "A step of the task." }),
    );
  });

  test("behaves the same over the legacy protocol", async () => {
    const { accessToken } = simulator.issue();
    const chat = await createChat(simulator, accessToken);
    const first = await sendMessage(simulator, accessToken, chat, firstPrompt(notes, "sim:call list_notes"));
    expect(legacyText(first)).toBe(ownCall("list_notes", {}));
    const second = await sendMessage(simulator, accessToken, chat, resultPrompt([["list_notes", "three"]]));
    expect(legacyText(second)).toBe("(Simulated) Done. list_notes: three");
  });
});

test.each([
  "Write this in prose, without calls.",
  "Give me at least one call to action.",
  "result of it: none",
  "sim:call list_notes",
])("“%s” in a chat without functions is answered as always", async (text) => {
  expect(await answerTo(`A line.\n${text}`)).toBe(
    `(Simulated answer: no Kimi account is connected.) You said: "${text}"`,
  );
});

const { stringify } = JSON;

test.each([
  ["own", ownCall("save_note", { path: "a", tags: ["b"] })],
  ["tool_call", '<tool_call>\n{"name":"save_note","arguments":{"path":"a","tags":["b"]}}\n</tool_call>'],
  ["tool", '<tool>{"name":"save_note","arguments":{"path":"a","tags":["b"]}}</tool>'],
  [
    "function_calls",
    '<function_calls>\n<invoke name="save_note">\n<parameter name="path">a</parameter>\n<parameter name="tags">["b"]</parameter>\n</invoke>\n</function_calls>',
  ],
  [
    "invoke",
    '<invoke name="save_note">\n<parameter name="path">a</parameter>\n<parameter name="tags">["b"]</parameter>\n</invoke>',
  ],
  [
    "k2",
    `<|tool_calls_section_begin|><|tool_call_begin|>functions.save_note:0<|tool_call_argument_begin|>${stringify({ path: "a", tags: ["b"] })}<|tool_call_end|><|tool_calls_section_end|>`,
  ],
  [
    "k2-variants",
    `<|tool_call_section_begin|><|tool_call_begin|>functions.save_note:0<|tool_call_argument_begin|>${stringify({ path: "a", tags: ["b"] })}<|tool_call_end|><|tool_call_section_end|>`,
  ],
  ["functions-line", 'functions.save_note:0{"path":"a","tags":["b"]}'],
])("`sim:family=%s` writes the call in that form", async (family, expected) => {
  const call = 'sim:call save_note {"path":"a","tags":["b"]}';
  expect(await answerTo(firstPrompt(notes, `sim:family ${family}\n${call}`))).toBe(expected);
  const configured = await startSimulator({ taughtModel: { family: family as "own" } });
  const answer = await new WebClient(configured.url, configured.issue()).ask(firstPrompt(notes, call));
  expect(answer.text).toBe(expected);
  await configured.close();
});
