import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeJson, escapeText } from "../../../src/api/stream/stream-json.js";

test("escapeText equals encodeJson without its quotes, for every UTF-16 code unit", () => {
  for (let unit = 0; unit <= 0xffff; unit++) {
    const text = `a${String.fromCharCode(unit)}b`;
    expect(`"${escapeText(text)}"`).toBe(encodeJson(text));
  }
  const texts = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  });
  fc.assert(fc.property(texts, (text) => `"${escapeText(text)}"` === encodeJson(text)));
});

test("escaped text has no line break of any reader, and JSON.parse restores it", () => {
  const text = "\n\r\u0085\u2028\u2029\u000b\u000c\ud83c\ud83c\udf19";
  expect(escapeText(text)).not.toMatch(/[\n\r\u0085\u2028\u2029\v\f]/);
  expect(JSON.parse(`"${escapeText(text)}"`)).toBe(text);
});
