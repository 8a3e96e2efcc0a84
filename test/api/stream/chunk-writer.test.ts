import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChunkWriter, chunkContents, encodeChunks } from "../../../src/api/stream/chunk-writer.js";

/** Decodes chunks as RFC 9112 §7.1 defines them. */
function decodeChunks(chunks: readonly Buffer[]): string {
  let rest = Buffer.concat(chunks);
  const contents: Buffer[] = [];
  while (rest.length > 0) {
    const line = /^([1-9a-f][0-9a-f]*)\r\n/.exec(rest.toString("latin1", 0, 12));
    const [start, length] = [line?.[0].length ?? Number.NaN, Number.parseInt(line?.[1] ?? "", 16)];
    contents.push(rest.subarray(start, start + length));
    expect(rest.toString("latin1", start + length, start + length + 2)).toBe("\r\n");
    rest = rest.subarray(start + length + 2);
  }
  return Buffer.concat(contents).toString();
}

type Addition = [text: string, prefix: string | undefined, suffix: string | undefined];

const textOnly = (text: string): Addition => [text, undefined, undefined];

function encodeAdditions(additions: readonly Addition[]): Buffer[] {
  const bytes = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text));
  return encodeChunks((writer) => {
    for (const [text, prefix, suffix] of additions) writer.write(text, bytes(prefix), bytes(suffix));
  });
}

const long = fc.nat(20_000);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  long.map((length) => "天".repeat(length)),
  long.map((length) => "x".repeat(length)),
);
const optionalText = fc.option(fc.string({ maxLength: 200 }), { nil: undefined });
const addition: fc.Arbitrary<Addition> = fc.tuple(text, optionalText, optionalText);

test("chunks have their lengths and the added text, and are not changed by later chunks", () => {
  fc.assert(
    fc.property(fc.array(fc.array(addition, { maxLength: 8 }), { maxLength: 8 }), (bodies) => {
      const chunks = bodies.map(encodeAdditions);
      for (const [index, additions] of bodies.entries()) {
        const expected = additions
          .map(([added, prefix = "", suffix = ""]) => Buffer.from(prefix + added + suffix).toString())
          .join("");
        expect(decodeChunks(chunks[index] ?? [])).toBe(expected);
        expect(chunkContents(chunks[index] ?? []).toString()).toBe(expected);
      }
    }),
    { numRuns: 200 },
  );
});

test("a text with prefix and suffix is in one chunk, whatever its size", () => {
  for (const length of [1, 5_000, 5_400, 5_470, 100_000]) {
    expect(encodeAdditions([["天".repeat(length), "prefix", "suffix"]])).toHaveLength(1);
    expect(encodeAdditions([textOnly("x"), textOnly("x".repeat(length))]).length).toBeLessThanOrEqual(2);
  }
});

test("no text gives no chunks", () => {
  expect(encodeAdditions([])).toEqual([]);
  expect(encodeAdditions([textOnly("")])).toEqual([]);
  expect(chunkContents([])).toEqual(Buffer.alloc(0));
});

test("a failing fill function leaves nothing for the next one", () => {
  const failing = (writer: ChunkWriter) => {
    writer.write("lost");
    throw new Error("midway");
  };
  expect(() => encodeChunks(failing)).toThrow("midway");
  expect(decodeChunks(encodeAdditions([textOnly("kept")]))).toBe("kept");
});
