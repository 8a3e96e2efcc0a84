import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator, type ToolFault } from "../../../simulator/index.js";
import { toolFaultNames } from "../../../simulator/taught-model/tool-faults.js";
import { chatRequest, sendChat, toRecord } from "../client.js";
import { createChat, answerText as legacyText, sendMessage } from "../legacy-client.js";
import { WebClient } from "../web-client.js";
import { firstPrompt, laterPrompt, listNotes, readNote, resultPrompt, saveNote, word } from "./section.js";

let simulator: Simulator;
let client: WebClient;

beforeAll(async () => {
  simulator = await startSimulator();
  client = new WebClient(simulator.url, simulator.issue());
});
afterAll(() => simulator.close());

const notes = [readNote, listNotes, saveNote];
const good = (name: string, args: object) =>
  `<call-${word}>${JSON.stringify({ name, arguments: args })}</call-${word}>`;

/** Asks for a call of save_note with a fault; each test has a text of its own, since a fault counts by message. */
function faultyPrompt(fault: string, args: object): string {
  return firstPrompt(notes, `sim:tool-fault=${fault}\nsim:call save_note ${JSON.stringify(args)}`);
}

const save = (args: string) => `<call-${word}>{"name":"save_note","arguments":${args}}</call-${word}>`;

test.each([
  ["no-tag-end", { path: "a" }, `<call-${word}>{"name":"save_note","arguments":{"path":"a"}}`],
  ["no-brackets", { tags: ["a"] }, `<call-${word}>{"name":"save_note","arguments":{"tags":["a"`],
  ["trailing-comma", { path: "a" }, save('{"path":"a",}')],
  ["raw-newline", { text: "a\nb\tc\\n" }, save('{"text":"a\nb\tc\\\\n"}')],
  ["smart-quotes", { path: "a" }, save("{“path”:“a”}")],
  ["single-quotes", { text: 'it\'s "a"' }, save("{'text':'it\\'s \"a\"'}")],
  [
    "python-literals",
    { a: true, b: false, c: null, d: "true" },
    save('{"a":True,"b":False,"c":None,"d":"true"}'),
  ],
  ["bare-backslash", { path: "C:\\Dir\\a.txt" }, save('{"path":"C:\\Dir\\a.txt"}')],
  ["number-strings", { limit: 3, all: true, path: "a" }, save('{"limit":"3","all":"true","path":"a"}')],
  ["nested-strings", { path: "a", tags: ["b"] }, save('{"path":"a","tags":"[\\"b\\"]"}')],
  ["json-string", { path: "a" }, save('"{\\"path\\":\\"a\\"}"')],
  ["extra-bracket", { path: "a" }, save('{"path":"a"}}')],
  ["fence", { path: "b" }, `\`\`\`json\n${save('{"path":"b"}')}\n\`\`\``],
  ["double", { path: "a" }, `${save('{"path":"a"}')}\n${save('{"path":"a"}')}`],
  ["half-call", { path: "a" }, save('{"path":"a"}').slice(0, 46)],
  ["wrong-word", { path: "a" }, save('{"path":"a"}').replaceAll(word, "zzzz")],
])("`sim:tool-fault=%s` corrupts the call once", async (fault, args, expected) => {
  const prompt = faultyPrompt(fault, args);
  expect((await client.ask(prompt)).text).toBe(expected);
  const corrected = prompt.replace("sim:tool-fault", "That was not a call.\nsim:tool-fault");
  expect((await client.ask(corrected)).text).toBe(good("save_note", args));
});

describe("misbehaviour by directive", () => {
  test("drift writes each round in another family", async () => {
    const call = 'sim:call read_note {"path":"a"}';
    const first = await client.ask(firstPrompt(notes, `sim:tool-fault=drift ${call}\nsim:then ${call}`));
    const second = await client.ask(resultPrompt([["read_note", "text"]]), { after: first });
    expect(first.text).toBe(good("read_note", { path: "a" }));
    expect(second.text).toMatch(/^<tool_call>/);
  });

  test.each([
    ["refuse", /prompt injection/],
    ["silent", /^\(Simulated\) Everything has been done as you asked\.$/],
    ["announce", /I will call save_note now/],
    ["unknown-tool", /"name":"save_note_v2"/],
    ["wrong-arguments", /"name":"save_note","arguments":\{"input":"all of it"\}/],
    ["invent", /<\/call-7f3k>\n\nresult of save_note, call 1 of 1: .*\n\nI have now/],
    ["cite-example", /As read_note returned earlier in this conversation: “EXAMPLE RESULT”/],
  ])("%s", async (fault, expected) => {
    expect((await client.ask(faultyPrompt(fault, { path: "a" }))).text).toMatch(expected);
  });

  test("a fault that makes an answer useless is repeated until the prompt says more than before", async () => {
    const prompt = faultyPrompt("wrong-arguments", { path: "corrected" });
    const wrong = /"input":"all of it"/;
    expect((await client.ask(prompt)).text).toMatch(wrong);
    expect((await client.ask(prompt)).text).toMatch(wrong);
    const lines = prompt.split("\n");
    const corrected = [...lines.slice(0, -1), "The call of save_note lacked: path.", ...lines.slice(-1)].join(
      "\n",
    );
    expect((await client.ask(corrected)).text).toBe(good("save_note", { path: "corrected" }));
  });

  test("a fault may be asked for several times", async () => {
    const prompt = faultyPrompt("trailing-comma,2", { path: "several" });
    expect((await client.ask(prompt)).text).toContain(",}");
    expect((await client.ask(prompt)).text).toContain(",}");
    expect((await client.ask(prompt)).text).toBe(good("save_note", { path: "several" }));
  });

  test("in-thinking puts the call into the thinking only", async () => {
    const answer = await client.ask(faultyPrompt("in-thinking", { path: "a" }));
    expect(answer.thinking).toContain(good("save_note", { path: "a" }));
    expect(answer.text).toBe("(Simulated) Let me look at that.");
  });

  test("call-anyway calls although the reminder asks for prose, or although no function was told of", async () => {
    const words = "sim:tool-fault=call-anyway sim:call list_notes";
    const first = await client.ask(firstPrompt(notes, "Hello."));
    expect((await client.ask(laterPrompt(words, "none"), { after: first })).text).toBe(
      good("list_notes", {}),
    );
    expect((await client.ask(`${words} {"of":"nobody"}`)).text).toBe(
      '<|tool_calls_section_begin|><|tool_call_begin|>functions.list_notes:0<|tool_call_argument_begin|>{"of":"nobody"}<|tool_call_end|><|tool_calls_section_end|>',
    );
  });

  test("slow-argument writes a long text into the longest argument", async () => {
    const { text } = await client.ask(faultyPrompt("slow-argument,5000,1", { path: "a", text: "long" }));
    const { name, arguments: args } = toRecord(
      JSON.parse(text.slice(`<call-${word}>`.length, -`</call-${word}>`.length)),
    );
    expect(name).toBe("save_note");
    expect(toRecord(args).path).toBe("a");
    expect(String(toRecord(args).text)).toHaveLength(5_000);
  });

  test("an unknown fault is refused", async () => {
    await expect(client.ask(faultyPrompt("no-such-fault", {}))).rejects.toThrow(/no-such-fault/);
  });
});

test("every fault of the model has its row in the documents of both languages", async () => {
  for (const page of ["simulator.md", "simulator.zh-CN.md"]) {
    const document = await readFile(`docs/reference/${page}`, "utf8");
    const rows = document.split("\n").filter((line) => line.startsWith("|"));
    const missing = toolFaultNames.filter(
      (name) => !rows.some((row) => new RegExp(`\`${name}[\`,]`).test(row)),
    );
    expect(missing).toEqual([]);
  }
});

test("kimi-tool runs a tool of Kimi's own: its block is in the stream, over the legacy protocol only the text", async () => {
  const { accessToken } = simulator.issue();
  const prompt = faultyPrompt("kimi-tool", { path: "a" });
  const frames = await sendChat(simulator, accessToken, chatRequest(prompt));
  const tools = frames.map(({ json }) => toRecord(toRecord(json.block).tool)).filter(({ status }) => status);
  expect(tools).toMatchObject([
    { name: "shell", status: "STATUS_PENDING" },
    { args: '{"path":"a"}', status: "STATUS_RUNNING" },
    { status: "STATUS_DONE" },
  ]);
  const offsets = frames.map(({ json }) => json.eventOffset).filter((offset) => offset !== undefined);
  expect(offsets).toEqual([...offsets].sort((a, b) => Number(a) - Number(b)));
  const chat = await createChat(simulator, accessToken);
  const legacyPrompt = faultyPrompt("kimi-tool", { path: "legacy" });
  expect(legacyText(await sendMessage(simulator, accessToken, chat, legacyPrompt))).toMatch(/in my sandbox/);
});

test("faultModel applies to the next answers that have a call, and to no others", async () => {
  const own = await startSimulator();
  const ownClient = new WebClient(own.url, own.issue());
  const fault: ToolFault = { kind: "announce" };
  own.faultModel(fault);
  own.faultModel({ kind: "trailing-comma" }, 2);
  const call = firstPrompt(notes, 'sim:call read_note {"path":"a"}');
  expect((await ownClient.ask(firstPrompt(notes, "Hello."))).text).toContain("You said");
  expect((await ownClient.ask(call)).text).toContain("I will call read_note now");
  expect((await ownClient.ask(call)).text).toContain(",}");
  expect((await ownClient.ask(call)).text).toContain(",}");
  expect((await ownClient.ask(call)).text).toBe(good("read_note", { path: "a" }));
  await own.close();
});
