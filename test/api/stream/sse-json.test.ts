import fc from "fast-check";
import { expect, test } from "vitest";
import { inQuotes, quote } from "../../../src/api/stream/sse-json.js";

test("what stands between the quotes is what JSON has there, for every character", () => {
  for (let unit = 0; unit <= 0xffff; unit++) {
    const text = `a${String.fromCharCode(unit)}b`;
    expect(`"${inQuotes(text)}"`).toBe(quote(text));
  }
  const texts = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  });
  fc.assert(fc.property(texts, (text) => `"${inQuotes(text)}"` === quote(text)));
});

test("no reader of lines finds an end in a quoted text, and JSON gives back what it was", () => {
  const text = "\n\r\u0085\u2028\u2029\u000b\u000c\ud83c\ud83c\udf19";
  expect(inQuotes(text)).not.toMatch(/[\n\r\u0085\u2028\u2029\v\f]/);
  expect(JSON.parse(`"${inQuotes(text)}"`)).toBe(text);
});
