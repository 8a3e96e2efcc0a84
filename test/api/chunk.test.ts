import fc from "fast-check";
import { expect, test } from "vitest";
import { chunkOf } from "../../src/api/chunk.js";

function expected(text: string): Buffer {
  const bytes = Buffer.from(text);
  const line = /^([1-9a-f][0-9a-f]*)\r\n/;
  const chunk = chunkOf(text);
  const length = line.exec(chunk.toString("latin1", 0, 12))?.[1];
  expect(Number.parseInt(length ?? "", 16)).toBe(bytes.length);
  return Buffer.from(chunk.toString().replace(line, ""));
}

test("a chunk says its length, whatever is in it, and the chunks made before it stay as they are", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 400 }),
    fc.nat(20_000).map((length) => "天".repeat(length + 1)),
    fc.nat(20_000).map((length) => "x".repeat(length + 1)),
    fc.constantFrom("天".repeat(174_758), "天".repeat(174_760), "x".repeat(600_000)),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
      const chunks = texts.map((each) => chunkOf(each));
      const before = chunks.map((chunk) => Buffer.from(chunk));
      for (const each of texts) expect(expected(each).equals(Buffer.from(`${each}\r\n`))).toBe(true);
      expect(chunks.every((chunk, at) => chunk.equals(before[at] ?? Buffer.alloc(0)))).toBe(true);
    }),
    { numRuns: 200 },
  );
});
