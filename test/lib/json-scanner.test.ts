import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonScanner } from "../../src/lib/json-scanner.js";

/** Values and depth as a parser sees them. */
function measure(value: unknown): { values: number; depth: number } {
  if (typeof value !== "object" || value === null) return { values: 1, depth: 0 };
  const items = Object.values(value).map(measure);
  return {
    values: items.reduce((sum, item) => sum + item.values, 1),
    depth: 1 + items.reduce((max, item) => Math.max(max, item.depth), 0),
  };
}

function scan(text: string, chunkLength: number): { values: number; depth: number } {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner();
  for (let from = 0; from < bytes.length; from += chunkLength)
    scanner.scan(bytes.subarray(from, from + chunkLength));
  return { values: scanner.values, depth: scanner.maxDepth };
}

/** Strings full of what could be taken for structure. */
const hardString = fc
  .array(fc.constantFrom('"', "\\", "[", "]", "{", "}", ",", ":", "\n", "a", "天", "\u0000"), {
    maxLength: 12,
  })
  .map((characters) => characters.join(""));
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    hardString,
    fc.constantFrom(0, -1.5e-7, true, false, null),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(hardString, tie("json"), { maxKeys: 4 }),
  ),
}));

test("values and depth are those of the parsed text, wherever the bytes are split", () => {
  fc.assert(
    fc.property(
      json,
      fc.constantFrom(0, 2),
      fc.integer({ min: 1, max: 40 }),
      (value, indent, chunkLength) => {
        const text = JSON.stringify(value, null, indent);
        expect(scan(text, chunkLength)).toEqual(measure(JSON.parse(text)));
      },
    ),
    { numRuns: 2_000 },
  );
});

test.each([
  ["an escaped quote does not end a string", String.raw`["a\"[[[",1]`, 3, 1],
  ["an escaped backslash before a quote does", String.raw`["a\\",[[1]]]`, 5, 3],
  ["a \\u escape of a quote does not end a string", String.raw`["\u0022[[",1]`, 3, 1],
])("%s, at any split", (_name, text, values, depth) => {
  for (let chunkLength = 1; chunkLength <= text.length; chunkLength++)
    expect(scan(text, chunkLength)).toEqual({ values, depth });
});
