import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findCutJson, findJson } from "../../../src/chat/structured-output/find-json.js";

const find = (answer: string) => findJson(answer).values;
const values = (answer: string) => find(answer).map(({ value }) => value);
const fence = "```";

describe("JSON is found", () => {
  test.each<[title: string, answer: string, expected: unknown[]]>([
    ["alone", ' {"a": 1}\n', [{ a: 1 }]],
    ["as a list", "[1, 2]", [[1, 2]]],
    ["as a number, text or literal alone", "42", [42]],
    ["in a fence", `${fence}json\n{"a":1}\n${fence}`, [{ a: 1 }]],
    ["in a fence without a language or an end", `${fence}\n{"a":1}`, [{ a: 1 }]],
    ["in prose", 'Here it is: {"a":1}. I hope {that} helps [1', [{ a: 1 }]],
    ["in prose with brackets in front", 'See [note]: $ {x} {"a":[{"b":"}"}]}', [{ a: [{ b: "}" }] }]],
    ["inside of brackets that are none", '{answer: see {"a":1}}', [{ a: 1 }]],
    ["several times", '{"a":1}\n{"a":2}', [{ a: 1 }, { a: 2 }]],
    ["without its last brackets", '{"a":[{"b":1', [{ a: [{ b: 1 }] }]],
    ["with a bracket too many", '{"a":1}}', [{ a: 1 }]],
    ["with a comma at the end", '[{"a":1,},]', [[{ a: 1 }]]],
    ["with line breaks in a text", '{"a":"1\n2"}', [{ a: "1\n2" }]],
    ["with quotes of typography", "{“a”:“1”}", [{ a: "1" }]],
    ["with literals of Python", '{"a":True,"b":None}', [{ a: true, b: null }]],
    ["with a quote that is not escaped", '{"a":"the "big" {one","b":2}', [{ a: 'the "big" {one', b: 2 }]],
  ])("%s", (_, answer, expected) => {
    expect(values(answer)).toEqual(expected);
  });
});

test.each([
  "",
  "Nothing here.",
  "{a, b}",
  '{"a":',
  '{"a":"cut in the mid',
  '{"a":1, ...}',
  '{"items":[{"n":1},{"n":',
  '{"items":[{"n":1},{"n":2},oops]}',
  '[{"n":1},{"n":"2',
  "\u201cquoted\u201d",
  "As I said [1], and [2, 3], do it: [ ]",
])("no JSON is made of %j", (answer) => {
  expect(values(answer)).toEqual([]);
});

test("something that begins like JSON but cannot be read is known", () => {
  expect(findJson('{"a": oops}')).toEqual({ values: [], isBroken: true });
  expect(findJson('{"a":1} and {"b":')).toMatchObject({ values: [{ value: { a: 1 } }], isBroken: true });
  expect(findJson('Well {so}: {"a":1} [and')).toMatchObject({
    values: [{ value: { a: 1 } }],
    isBroken: false,
  });
});

test("what is around it, and a fence in front of it, are known", () => {
  expect(find(`${fence}json\n{"a":1}\n${fence}\n`)).toMatchObject([{ isAlone: true }]);
  expect(find('{"a":1}}\n')).toMatchObject([{ isAlone: true, isFenced: false }]);
  expect(find(`Look: ${fence}json\n{"a":1}\n${fence}`)).toMatchObject([{ isAlone: false, isFenced: true }]);
  expect(find('{"a":1} is it.')).toMatchObject([{ isAlone: false }]);
});

test("the text is what the model wrote, numbers and white space included", () => {
  const written = '{ "n": 12345678901234567890.10,\n "a": [ 1.0 ] }';
  expect(find(`So: ${written}.`)).toMatchObject([{ text: written }]);
});

test("of an answer that was cut, the JSON so far is found", () => {
  expect(findCutJson('So:\n{"a":[1,"te')).toBe('{"a":[1,"te');
  expect(findCutJson('{"a":"raw\nline')).toBe('{"a":"raw\nline');
  expect(findCutJson("I would say [that")).toBe("");
  expect(findCutJson("I would")).toBe("");
});

const prose = fc
  .array(fc.constantFrom("so ", "[1] ", "{x} ", "\n", "` ", "don't ", '"it" ', "}", "it's [", "```\n", "月 "))
  .map((words) => words.join(""));

test("random JSON between random prose is found as it is, or brackets of the prose hide it", () => {
  const structure = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
  fc.assert(
    fc.property(prose, structure, prose, (before, value, after) => {
      const json = JSON.stringify(value);
      const found = find(`${before}\n\`\`\`json\n${json}\n\`\`\`\n${after}`);
      const isHidden = /[{[]/.test(before.replaceAll("[1] ", "").replaceAll("{x} ", ""));
      if (!isHidden && !before.includes('"')) expect(found.map(({ text }) => text)).toContain(json);
      // Nothing is invented.
      for (const { text } of found) JSON.parse(text);
    }),
  );
});

test("the broken JSON of an answer is repaired up to a bound for all of it together", () => {
  const broken = (length: number) => `["x": ${'"x": '.repeat(length / 5)}]`;
  const mended = '{"a":1,}';
  expect(values(`${broken(1_000)} and ${mended}`)).toEqual([{ a: 1 }]);
  expect(values(`${broken(9_000)} and ${broken(9_000)} and ${mended}`)).toEqual([]);
  expect(find(`${broken(15_000)} `.repeat(60))).toEqual([]);
});

test.each([
  ["brackets", "[".repeat(990_000)],
  ["objects", '{"a":'.repeat(190_000)],
  ["backticks", `\`\`\`\n${"`".repeat(990_000)}x`],
  ["white space", `{"a" ${" ".repeat(990_000)}x`],
  ["open texts", '{"'.repeat(490_000)],
  ["deep JSON", "[".repeat(490_000) + "]".repeat(490_000)],
  ["escapes", `{"${"\\".repeat(990_000)}`],
])("an answer of many %s is read before the test's time is over", (_, answer) => {
  expect(find(answer)).toEqual([]);
  findCutJson(answer);
});
