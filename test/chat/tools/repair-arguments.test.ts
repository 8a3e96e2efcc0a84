import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { repairJson } from "../../../src/chat/tools/repair-arguments.js";

const repaired: [string, string, unknown][] = [
  [
    "a comment like a URL in a string",
    `{"url":"http://a//b", // the page\n"n":1}`,
    { url: "http://a//b", n: 1 },
  ],
  ["an apostrophe between double quotes", `{'a': "it's", 'b': True}`, { a: "it's", b: true }],
  ["a network share", String.raw`{"p":"\\server\share\new"}`, { p: String.raw`\\server\share\new` }],
  ["escapes beside an invalid one", String.raw`{"a":"\d\n","b":"x\ny"}`, { a: String.raw`\d\n`, b: "x\ny" }],
  ["an escaped quote beside an invalid escape", String.raw`{"a":"\w \"x\""}`, { a: String.raw`\w "x"` }],
  ["inner quotes before a further key", `{"a":"say "hi", then go","b":1}`, { a: 'say "hi", then go', b: 1 }],
  ["brackets of another kind", `{"a":["x","y"}`, { a: ["x", "y"] }],
  ["typographic quotes inside of straight ones", `{"a":"“x”",}`, { a: "“x”" }],
];

/** A repair would have to guess a value, or to leave something out. */
const refused: [string, string][] = [
  ["a missing value", `{"a":`],
  ["a missing value before a bracket", `{"a":}`],
  ["a broken string", `{"a":"x`],
  ["a broken string before brackets", `{"a":"x}}`],
  ["half a key", `{"a":1,"b`],
  ["a bare text", `{"a":hello}`],
  ["an expression", `{"a":60*60}`],
  ["an omission", `{"a":[1,2,...]}`],
  ["undefined", `{"a":undefined}`],
  ["a number without digits", `{"a":.}`],
  ["a function of a database", `{"a":ObjectId("x")}`],
  ["two objects", `{"a":1}\n{"b":2}`],
  ["inner quotes in a text that was cut", `{"name":"f","arguments":{"content":"x = {"k": "v"}`],
  ["prose", "read the note"],
  ["a regular expression", `{"a":/x+/}`],
];

describe("broken JSON is repaired", () => {
  test.each(repaired)("%s", (_, text, value) => {
    expect(JSON.parse(repairJson(text, "") ?? "null")).toEqual(value);
  });
});

describe("no value is invented or left out", () => {
  test.each(refused)("%s", (_, text) => {
    expect(repairJson(text, "")).toBeUndefined();
  });
});

test("a string that goes on over the end of its call is none", () => {
  const merged = `{"name":"a","arguments":{"p":"x}}</call-7f3k>\n<call-7f3k>{"name":"b","arguments":{"p":"y",}}`;
  expect(repairJson(merged, "</call-7f3k>")).toBeUndefined();
  const quoted = `{"name":"a","arguments":{"p":"x</call-7f3k>",}}`;
  expect(repairJson(quoted, "</call-7f3k>")).toBeDefined();
});

// A bracket at the end of the cut text may be one of the text.
const plain = fc.string().map((text) => text.replace(/[}\]]/g, "-"));

test("cut anywhere, JSON is repaired to values that stand in it, or not at all", () => {
  const values = fc.dictionary(plain, fc.oneof(plain, fc.integer(), fc.boolean()), { minKeys: 1 });
  fc.assert(
    fc.property(values, fc.nat(), (value, at) => {
      const text = JSON.stringify(value);
      const result = repairJson(text.slice(0, 1 + (at % text.length)), "");
      if (result === undefined) return;
      for (const [key, item] of Object.entries(JSON.parse(result))) {
        // A number may be cut in the middle of its digits.
        if (typeof item === "number") continue;
        expect([key, item]).toEqual([key, value[key]]);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ["brackets", '{"a":"x"]'.padEnd(16_000, '"]')],
  ["quotes", '"'.repeat(16_000)],
  ["inner quotes", `{"a":"${'"x'.repeat(7_000)}`],
  ["line breaks", `{${"\n".repeat(16_000)}`],
  ["white space", `${" ".repeat(100_000)}\`\`\``],
  ["commas", `{"a":[1${", ".repeat(7_000)}`],
  ["comments", "/*".repeat(8_000)],
  ["open strings", `{"a":${"'".repeat(15_000)}`],
])("the time for a repair is bounded: %s", (_, text) => {
  const start = process.cpuUsage();
  repairJson(text, "</call-7f3k>");
  const { user } = process.cpuUsage(start);
  expect(user / 1_000).toBeLessThan(3_000);
});
