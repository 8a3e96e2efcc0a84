import { expect, test } from "vitest";
import { type BlindCase, readBlindCases } from "./corpus/blind-cases.js";
import { divide, type ParsedOutput, parseOutput, word } from "./parse-output.js";

/** Whole, and in deltas of 7 characters and of 1. */
const lengths = [Number.POSITIVE_INFINITY, 7, 1];

const cases = readBlindCases(word);

for (const scripted of cases) {
  test(`${scripted.file}: ${scripted.name}`, () => {
    const outputs = lengths.map((length) =>
      parseOutput(divide(scripted.output, length), scripted.tools, { isCut: scripted.cut ?? false }),
    );
    for (const output of outputs) check(scripted, output);
    for (const output of outputs.slice(1)) {
      expect(output).toEqual(outputs[0]);
    }
  });
}

function check({ output, cut, expect: expected }: BlindCase, parsed: ParsedOutput): void {
  const calls = cut ? [] : parsed.calls;
  if (cut) {
    expect(output.startsWith(parsed.text)).toBe(true);
    expect(parsed.text.startsWith(expected.text)).toBe(true);
  }
  expect(calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) }))).toEqual(
    expected.calls,
  );
  if (!cut && expected.calls.length === 0) expect(parsed.text).toBe(expected.text);
  if (!cut && expected.calls.length > 0)
    expect(withoutInvalid(parsed).trimStart()).toBe(expected.text.trimStart());
  if (expected.trap) expect(parsed.invalid).toEqual([]);
  if (expected.correction) expect(parsed.invalid).toHaveLength(1);
}

/** What a person sees where good calls are delivered. */
function withoutInvalid({ text, invalid }: ParsedOutput): string {
  return invalid.reduce((rest, call) => rest.replace(call.text, ""), text);
}
