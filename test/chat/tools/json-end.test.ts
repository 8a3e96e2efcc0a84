import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonEnd } from "../../../src/chat/tools/json-end.js";
import { divide } from "./parse-output.js";

/** Whether the scanner calls the text strictly valid, and where it ends; `length`: of the pieces. */
function scan(text: string, length: number): [boolean, number] {
  const json = new JsonEnd();
  let start = 0;
  for (const piece of divide(text, length)) {
    const end = json.scan(piece);
    if (end !== -1) return [json.isStrict, start + end];
    start += piece.length;
  }
  return [json.isStrict, -1];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("valid JSON is strict and ends at its last character", () => {
  const objects = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(objects, fc.constantFrom(0, 2), fc.integer({ min: 1, max: 9 }), (value, indent, length) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(scan(`${text} rest`, length)).toEqual([true, text.length]);
    }),
  );
});

test("what is strict up to its end is valid JSON, however it was changed", () => {
  const objects = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
  const changes = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom(..."{}[]\",:\\x1-.eE+\n tfnu'“\u0001", "", "null", "01", "\\u12")),
    {
      maxLength: 3,
    },
  );
  fc.assert(
    fc.property(objects, changes, fc.integer({ min: 1, max: 5 }), (value, edits, length) => {
      const text = edits.reduce((json, [at, replacement]) => {
        const position = 1 + (at % json.length);
        return json.slice(0, position) + replacement + json.slice(position + 1);
      }, JSON.stringify(value));
      const [isStrict, end] = scan(text, length);
      if (isStrict && end !== -1) expect([text, isJson(text.slice(0, end))]).toEqual([text, true]);
      expect(scan(text, Number.POSITIVE_INFINITY)).toEqual([isStrict, end]);
    }),
    { numRuns: 3_000 },
  );
});

test("nesting beyond its bound is not strict", () => {
  expect(scan("[".repeat(150) + "]".repeat(150), 7)[0]).toBe(true);
  expect(scan("[".repeat(250) + "]".repeat(250), 7)[0]).toBe(false);
});
