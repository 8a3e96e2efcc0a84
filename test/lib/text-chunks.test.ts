import fc from "fast-check";
import { expect, test } from "vitest";
import { cutPosition, textChunks } from "../../src/lib/text-chunks.js";

test("chunks are the text, none is too long, and no surrogate pair is split", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "月", "🌉", "\ud83c", "\udf09") });
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 9 }), (whole, length) => {
      const chunks = [...textChunks(whole, length)];
      expect(chunks.join("")).toBe(whole);
      for (const [index, chunk] of chunks.entries()) {
        expect(chunk.length).toBeLessThanOrEqual(length);
        expect(chunk).not.toBe("");
        const border = chunk.slice(-1) + (chunks[index + 1] ?? "").slice(0, 1);
        expect(border).not.toMatch(/^[\ud800-\udbff][\udc00-\udfff]$/);
      }
    }),
  );
});

test("a cut in a surrogate pair is moved in front of it", () => {
  expect([0, 1, 2, 3].map((position) => cutPosition("a🌉b", position))).toEqual([0, 1, 1, 3]);
});
