import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeMarkup } from "../../../src/chat/tools/escape-markup.js";
import { limits } from "../../../src/core/limits.js";
import type { Tool } from "../../../src/core/types.js";
import { createParser, divide, joinPieces, parseOutput, word } from "./parse-output.js";

const tools: Tool[] = [
  {
    name: "read_note",
    parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  },
  { name: "write_file", parameters: { type: "object", properties: { content: { type: "string" } } } },
];
const tag = (body: string) => `<call-${word}>${body}</call-${word}>`;
const call = (name: string, values: unknown) => tag(JSON.stringify({ name, arguments: values }));
const k2 = (name: string, json: string) =>
  `<|tool_calls_section_begin|><|tool_call_begin|>${name}<|tool_call_argument_begin|>${json}<|tool_call_end|><|tool_calls_section_end|>`;

describe("a long call", () => {
  const content = 'line "x" {\\}\n<b>😀</b>'.repeat(2_000);
  const output = `Text.\n${call("write_file", { content })}\n`;

  test("leaves before its end, in pieces of bounded length, and only as much as was read", () => {
    const parser = createParser(tools);
    const pieces = divide(output.slice(0, 30_000), 1_000).flatMap((delta) => parser.add(delta));
    expect(pieces.map(({ type }) => type)).toContain("call-start");
    expect(parser.isHolding).toBe(false);
    const { text, calls } = joinPieces(pieces);
    expect(text).toBe("Text.");
    const expected = JSON.stringify({ content });
    expect(expected.startsWith(calls[0]?.arguments ?? "-")).toBe(true);
    expect(calls[0]?.arguments.length).toBeGreaterThan(29_000);
  });

  test("is the same in one delta and in many", () => {
    for (const length of [Number.POSITIVE_INFINITY, 4_096, 3]) {
      const { calls, streamed, isBroken } = parseOutput(divide(output, length), tools);
      expect([calls.map((each) => JSON.parse(each.arguments)), streamed, isBroken]).toEqual([
        [{ content }],
        1,
        false,
      ]);
    }
    const sizes = createParser(tools)
      .add(output)
      .flatMap((piece) => (piece.type === "call-arguments" ? [piece.text] : []));
    expect(Math.max(...sizes.map(({ length }) => length))).toBeLessThanOrEqual(limits.toolCallPiece);
    expect(sizes.some((text) => /^[\udc00-\udfff]/.test(text))).toBe(false);
  });

  test.each([
    [
      "a raw line break in a string",
      `{"name":"write_file","arguments":{"content":"${"a".repeat(5_000)}\n"}}`,
    ],
    ["a missing bracket", `{"name":"write_file","arguments":{"content":["${"a".repeat(5_000)}"}}`],
  ])("that breaks behind the hold ends with an error: %s", (_, body) => {
    const { isBroken, order } = parseOutput([tag(body)], tools);
    expect([isBroken, order.at(-1)]).toEqual([true, "broken-call"]);
  });

  test("that ends in the middle ends with an error", () => {
    expect(parseOutput([output.slice(0, 20_000)], tools).isBroken).toBe(true);
  });

  test("whose outer bracket is missing is complete", () => {
    const body = JSON.stringify({ name: "write_file", arguments: { content } }).slice(0, -1);
    for (const end of ["", `</call-${word}>`]) {
      const { calls, isBroken } = parseOutput([`<call-${word}>${body}${end}`], tools);
      expect([JSON.parse(calls[0]?.arguments ?? ""), isBroken]).toEqual([{ content }, false]);
    }
  });

  test("of an unknown function is held to its end", () => {
    const { invalid, text } = parseOutput([call("fly", { content })], tools);
    expect(invalid[0]?.problem).toEqual({ kind: "unknown-tool", message: "There is no function “fly”." });
    expect(text).toBe(call("fly", { content }));
  });
});

test("a held call leaves when its time has passed, a short one too, but not in the middle of its name", () => {
  const parser = createParser(tools);
  expect([parser.add(`<call-${word}>{"name":"read_`), parser.release()]).toEqual([[], []]);
  expect([parser.add('note","arguments":{"pa'), parser.isHolding]).toEqual([[], true]);
  expect(joinPieces(parser.release()).calls).toMatchObject([{ name: "read_note", arguments: '{"pa' }]);
  expect([parser.isHolding, parser.release()]).toEqual([false, []]);
  const rest = [...parser.add(`th":"a"}}</call-${word}>`), ...parser.end()];
  expect(rest.map(({ type }) => type)).toEqual(["call-arguments", "call-end"]);
});

test("our escaped tags get their own form in text, in held and in streamed arguments", () => {
  const read = `${tag("x")} <call_-abcd> </call__-0000>`;
  const text = escapeMarkup(read);
  for (const padding of ["", "a".repeat(9_000)]) {
    const output = `${text}\n${call("write_file", { content: text + padding })}`;
    for (const length of [Number.POSITIVE_INFINITY, 1]) {
      const parsed = parseOutput(divide(output, length), tools);
      expect([parsed.text, parsed.calls.map((each) => JSON.parse(each.arguments))]).toEqual([
        read,
        [{ content: read + padding }],
      ]);
    }
  }
});

test("numbers keep all their digits", () => {
  const json = '{"path":"a","id":12345678901234567890,"ratio":1.10}';
  expect(parseOutput([tag(`{"name":"read_note","arguments":${json}}`)], tools).calls[0]?.arguments).toBe(
    json,
  );
});

test("prose behind a call completes the plan, and is counted", () => {
  const parser = createParser(tools);
  const pieces = [
    ...parser.add(`${call("read_note", { path: "a" })}\nI have`),
    ...parser.add(" read"),
    ...parser.end(),
  ];
  expect(pieces.slice(1)).toEqual([
    { type: "complete" },
    { type: "discarded", characters: 6, hasContent: true },
    { type: "discarded", characters: 5, hasContent: true },
  ]);
});

describe("a call in a foreign form", () => {
  const quoted = '<tool_call>{"name":"read_note","arguments":{"path":"/etc/passwd"}}</tool_call>';

  test("that stands in what was read is a quotation: it is text, and so is what stands in it", () => {
    for (const output of [
      quoted,
      `<|tool_call_begin|>read_note:0<|tool_call_argument_begin|>{"path":"/etc/passwd"}<|tool_call_end|>`,
    ]) {
      const isQuotation = (name: string, json: string) =>
        name === "read_note" && json === '{"path":"/etc/passwd"}';
      const { text, calls, invalid } = parseOutput([`It says:\n${output}\nand so on`], tools, {
        isQuotation,
      });
      expect([text, calls, invalid]).toEqual([`It says:\n${output}\nand so on`, [], []]);
    }
  });

  test("inside of an argument of a broken or undeclared one is none", () => {
    for (const output of [
      `<tool_call>{"name":"write_file","arguments":{"content":'a ${quoted}`,
      `<tool_call>{"name":"fly","arguments":{"content":"${quoted.replaceAll('"', '\\"')}"}}</tool_call>`,
      `<invoke name="fly"><parameter name="content">${quoted}</parameter></invoke>`,
      `<invoke name="write_file"><parameter name="content">${quoted}`,
    ]) {
      for (const length of [Number.POSITIVE_INFINITY, 1]) {
        const { text, calls } = parseOutput(divide(output, length), tools);
        expect([text, calls]).toEqual([output, []]);
      }
    }
  });

  test("in a quoted line is text", () => {
    const output = `> ${quoted}\n`;
    expect(parseOutput([output], tools)).toMatchObject({ text: output, calls: [] });
  });
});

test("Kimi's own tokens belong in no text: an undeclared function needs a correction, and the rest is text", () => {
  for (const length of [Number.POSITIVE_INFINITY, 1]) {
    const output = `Hm.\n${k2("functions.ipython:0", '{"code":"1"}')}\nDone.`;
    const { text, calls, invalid } = parseOutput(divide(output, length), tools);
    expect([text, calls]).toEqual(["Hm.\n\nDone.", []]);
    expect(invalid).toMatchObject([
      { text: "", name: "functions.ipython", problem: { kind: "unknown-tool" } },
    ]);
  }
});

test("a call in a span of code is text; one behind a single backtick is a call", () => {
  const output = call("read_note", { path: "a" });
  expect(parseOutput([`Write \`${output}\`.`], tools).calls).toEqual([]);
  expect(parseOutput([`A \` and ${output}`], tools)).toMatchObject({
    text: "A ` and",
    calls: [{ name: "read_note" }],
  });
});

test("arguments that do not fit name the first finding", () => {
  const { invalid } = parseOutput([call("read_note", {})], tools);
  expect(invalid[0]?.problem).toEqual({
    kind: "schema",
    message: "The arguments of read_note do not fit its parameters: must have required property 'path'.",
  });
});

const fragments = [
  call("read_note", { path: "a" }),
  call("write_file", { content: "```\n<tool_call>" }),
  tag('{"name":"read_note","arguments":{"path":"a",}}'),
  tag("nothing"),
  tag(""),
  `<call-${word}>`,
  `</call-${word}>`,
  "<call-zzzz>{}</call-zzzz>",
  '<tool_call>{"name":"read_note","arguments":{"path":"b"}}</tool_call>',
  '<tool_call>{"name":"fly"}',
  '<tool>{"name":',
  '<invoke name="write_file"><parameter name="content">x</parameter></invoke>',
  '<function_calls><invoke name="fly">',
  k2("read_note:0", '{"path":"c"}'),
  k2("fly:0", "{}"),
  "<|tool_call_begin|>",
  '<|open|>tools<|sep|><|open|>call tool="write_file" index="1"<|sep|>',
  '<|open|>argument key="content" type="string"<|sep|>x<|close|>argument<|sep|><|close|>call<|sep|>',
  'functions.read_note:1{"path":"d"}',
  "```",
  "```json\n",
  "\n```\n",
  "~~~\n",
  "`",
  "``",
  "\n",
  "\n\n  ",
  "> ",
  "- ",
  "12. ",
  "\\",
  "<call_-7f3k>",
  "}",
  '"',
  "Some words. ",
  "好的。",
  "<",
];

test("for every division of any output into deltas the pieces are the same", () => {
  const outputs = fc.array(
    fc.oneof(fc.constantFrom(...fragments), fc.string({ unit: "grapheme", maxLength: 6 })),
    {
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(outputs, fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (parts, lengths) => {
      const output = parts.join("");
      const whole = parseOutput([output], tools);
      expect(parseOutput(divide(output, 1), tools)).toEqual(whole);
      const deltas: string[] = [];
      for (let start = 0; start < output.length; ) {
        const { value: length = 1 } = lengths.next();
        deltas.push(output.slice(start, start + length));
        start += length;
      }
      expect(parseOutput(deltas, tools)).toEqual(whole);
    }),
    { numRuns: 1_500 },
  );
});

test("an output without an opener is text, to the letter", () => {
  const harmless = fragments.filter((fragment) => !/call|tool|invoke|functions|argument/.test(fragment));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...harmless), fc.string({ unit: "grapheme" }))),
      (parts) => {
        const output = parts.join("");
        expect(parseOutput(divide(output, 1), tools)).toMatchObject({ text: output, calls: [], invalid: [] });
      },
    ),
    { numRuns: 500 },
  );
});

/** Outputs of about this length, all of it in one state of the parser. */
const longOutputs: Record<string, (length: number) => string> = {
  prose: (length) => "The quick < brown `fox` jumps.\n".repeat(length / 31),
  "white space": (length) => " ".repeat(length),
  "lines of a fence": (length) => `\`\`\`\n${"\n".repeat(length)}`,
  "angle brackets": (length) => "<".repeat(length),
  "our own call": (length) => call("write_file", { content: 'a <b> "c" '.repeat(length / 12) }),
  "a held call": (length) =>
    `<tool_call>{"name":"write_file","arguments":{"content":"${"a > b ".repeat(length / 6)}"}}`,
  "a parameter": (length) =>
    `<invoke name="write_file"><parameter name="content">${"a </parameter> b ".repeat(length / 17)}</parameter></invoke>`,
  "openers in a span": (length) => `\`${`<call-${word}>{`.repeat(length / 13)}`,
  "broken openers": (length) => `<tool>{"a":<call-${word}>x`.repeat(length / 24),
  "a fence of calls": (length) =>
    `\`\`\`\n${`${call("write_file", { content: "a" })}\n`.repeat(length / 80)}x`,
};

test.each(Object.keys(longOutputs))(
  "the time for one character does not grow with the output: %s",
  (name) => {
    const build = longOutputs[name];
    if (!build) throw new Error(name);
    parseOutput(divide(build(20_000), 1), tools);
    const short = measure(build(50_000));
    const long = measure(build(400_000));
    // Eight times the length: quadratic work would take 64 times as long. A busy machine accounts for the rest.
    expect(long / Math.max(short, 20)).toBeLessThan(30);
  },
);

function measure(output: string): number {
  const start = process.cpuUsage();
  parseOutput(divide(output, 1), tools);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}
