import { expect, test } from "vitest";
import {
  cleanCases,
  type GeneratedCase,
  generatedTools,
  repairableCases,
  trapCases,
} from "./corpus/generated-cases.js";
import { divide, type ParsedOutput, parseOutput, word } from "./parse-output.js";

const clean = cleanCases(word);
const repairable = repairableCases(word);
const traps = trapCases(word);

test("there are at least 2,000 generated outputs", () => {
  expect(clean.length + repairable.length + traps.length).toBeGreaterThanOrEqual(2_000);
});

test("every clean call is read as it was meant", () => {
  expect(clean.filter((each) => !isRight(each, parse(each))).map(({ name }) => name)).toEqual([]);
});

test("97 of 100 calls that can be repaired are, and the others are not delivered with other arguments", () => {
  const failed = repairable.filter((each) => !isRight(each, parse(each)));
  const wrong = failed.filter((each) => parse(each).calls.length >= each.calls.length);
  expect(wrong.map(({ name }) => name)).toEqual([]);
  expect(failed.length / repairable.length, failed.map(({ name }) => name).join("\n")).toBeLessThan(0.03);
});

test("what looks like a call and is none stays text, to the letter", () => {
  const failed = traps.filter((each) => {
    const { calls, invalid, text } = parse(each);
    return calls.length > 0 || invalid.length > 0 || text !== each.text;
  });
  expect(failed.map(({ name }) => name)).toEqual([]);
});

test("the pieces are the same for every division into deltas", () => {
  const all = [...clean, ...repairable, ...traps];
  const different = all.filter((each, index) => {
    const whole = JSON.stringify(parse(each));
    return [1, 2 + (index % 13)].some((length) => JSON.stringify(parse(each, length)) !== whole);
  });
  expect(different.map(({ name }) => name)).toEqual([]);
});

test("a cut stream has no half call, and shows no markup of one", () => {
  const failed = clean.filter((each, index) => {
    const length = (index * 7_919) % each.output.length;
    const { calls, text } = parseOutput([each.output.slice(0, length)], generatedTools, { isCut: true });
    const areWhole = calls.every((call, position) => matches(each, call, position));
    return !areWhole || !each.text.startsWith(text);
  });
  expect(failed.map(({ name }) => name)).toEqual([]);
});

function parse({ output }: GeneratedCase, length = Number.POSITIVE_INFINITY): ParsedOutput {
  return parseOutput(divide(output, length), generatedTools);
}

function isRight(scripted: GeneratedCase, { calls, text }: ParsedOutput): boolean {
  const isWhole = calls.length === scripted.calls.length;
  return (
    isWhole &&
    text === scripted.text.trimEnd() &&
    calls.every((call, index) => matches(scripted, call, index))
  );
}

function matches(
  { calls }: GeneratedCase,
  call: { name: string; arguments: string },
  index: number,
): boolean {
  const expected = calls[index];
  return (
    expected !== undefined &&
    expected.name === call.name &&
    JSON.stringify(JSON.parse(call.arguments)) === JSON.stringify(expected.arguments)
  );
}
