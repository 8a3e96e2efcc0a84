import { describe, expect, test } from "vitest";
import { NativeMarkupRemover } from "../../../src/chat/tools/native-markup.js";
import { divide } from "./parse-output.js";

const call = (name: string, json: string) =>
  `<|tool_call_begin|>${name}<|tool_call_argument_begin|>${json}<|tool_call_end|>`;
const section = (...calls: string[]) =>
  `<|tool_calls_section_begin|>${calls.join("")}<|tool_calls_section_end|>`;
const k3 =
  '<|open|>tools<|sep|><|open|>call tool="read_file" index="1"<|sep|><|open|>argument key="path" type="string"<|sep|>a.txt<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>';

/** Text, what stays of it, and how much was taken out. */
const removed: [string, string, string, number][] = [
  ["a section", `Hi.\n${section(call("functions.read_file:0", '{"path":"a"}'))}\nBye.`, "Hi.\n\nBye.", 1],
  ["two calls of a section", section(call("ipython:0", "{}"), call("ipython:1", '{"a":"}"}')), "", 2],
  [
    "a section in the singular",
    section(call("x:1", "{}")).replaceAll("calls_section", "call_section"),
    "",
    1,
  ],
  ["a call without a section", `a ${call("web_search:0", "{}")} b`, "a  b", 1],
  [
    "a call without its end",
    '<|tool_call_begin|>x:1<|tool_call_argument_begin|>{"a":1}\nText.',
    "\nText.",
    1,
  ],
  ["a marker inside of an argument", call("x:1", '{"a":"<|tool_call_end|>"}'), "", 1],
  ["arguments that are no JSON", `${call("x:1", "print(1)")}\nText.`, "\nText.", 1],
  ["K3's section", `Let me look.\n${k3}`, "Let me look.\n", 1],
  [
    "K3's section as corrupted",
    k3.replace("<|sep|><|open|>call", "call").replace("a.txt<|close|>", "a.txt"),
    "",
    1,
  ],
  ["a line of a tool", "Look:\nshow_widget:11\nDone.", "Look:\nDone.", 1],
  ["a line of a function at the end", "Look:\nfunctions.read_file:0", "Look:\n", 1],
  ["a line of a tool in a group", "memory_space_edits:3\n", "", 1],
];

const kept: [string, string][] = [
  ["a mention of a token", "The token <|tool_call_begin|> begins a call, <|tool_call_end|> ends it."],
  ["a beginning at the end", "It begins with <|tool_calls_section_be"],
  ["a section in a fence", `\`\`\`\n${section(call("x:0", "{}"))}\nshow_widget:1\n\`\`\`\n`],
  ["a section in inline code", `Write \`${section(call("x:0", "{}"))}\` for that.`],
  ["a quoted section", `> ${section(call("x:0", "{}"))}\n`],
  ["a tool's name in a sentence", "shell:22 is a port, and so is\nlocalhost:80\nNote:3"],
  ["a tool's name with more behind it", "web_search:1 finds pages\nshell:\nread_file:0{}"],
  ["other tokens", "<|im_start|>user<|im_end|> <|x|>"],
];

describe("Kimi's own call markup is taken out", () => {
  test.each(removed)("%s", (_, text, rest, count) => {
    for (const length of [Number.POSITIVE_INFINITY, 5, 1])
      expect(remove(text, length)).toEqual([rest, count]);
  });
});

describe("what is no call markup stays", () => {
  test.each(kept)("%s", (_, text) => {
    for (const length of [Number.POSITIVE_INFINITY, 5, 1]) expect(remove(text, length)).toEqual([text, 0]);
  });
});

function remove(text: string, length: number): [string, number] {
  const remover = new NativeMarkupRemover();
  const rest = divide(text, length).map((delta) => remover.add(delta));
  return [rest.join("") + remover.end(), remover.removed];
}
