import fc from "fast-check";
import { expect, test } from "vitest";
import { type Body, chunksOf, contentOf } from "../../../src/api/stream/chunked-body.js";

/** Reads chunks as RFC 9112 §7.1 has them. */
function read(chunks: readonly Buffer[]): string {
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

type Addition = [text: string, before: string | undefined, behind: string | undefined];

const plain = (text: string): Addition => [text, undefined, undefined];

function made(additions: readonly Addition[]): Buffer[] {
  const bytes = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text));
  return chunksOf((body) => {
    for (const [text, before, behind] of additions) body.add(text, bytes(before), bytes(behind));
  });
}

const long = fc.nat(20_000);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  long.map((length) => "天".repeat(length)),
  long.map((length) => "x".repeat(length)),
);
const surrounding = fc.option(fc.string({ maxLength: 200 }), { nil: undefined });
const addition: fc.Arbitrary<Addition> = fc.tuple(text, surrounding, surrounding);

test("chunks say their lengths, hold what was added, and stay as they are when others are made", () => {
  fc.assert(
    fc.property(fc.array(fc.array(addition, { maxLength: 8 }), { maxLength: 8 }), (bodies) => {
      const chunks = bodies.map(made);
      for (const [at, additions] of bodies.entries()) {
        const whole = additions
          .map(([added, before = "", behind = ""]) => Buffer.from(before + added + behind).toString())
          .join("");
        expect(read(chunks[at] ?? [])).toBe(whole);
        expect(contentOf(chunks[at] ?? []).toString()).toBe(whole);
      }
    }),
    { numRuns: 200 },
  );
});

test("what is added at once is in one chunk, whatever its size", () => {
  for (const length of [1, 5_000, 5_400, 5_470, 100_000]) {
    expect(made([["天".repeat(length), "before", "behind"]])).toHaveLength(1);
    expect(made([plain("x"), plain("x".repeat(length))]).length).toBeLessThanOrEqual(2);
  }
});

test("where nothing is added there are no chunks", () => {
  expect(made([])).toEqual([]);
  expect(made([plain("")])).toEqual([]);
  expect(contentOf([])).toEqual(Buffer.alloc(0));
});

test("one that fails leaves nothing behind", () => {
  const failing = (body: Body) => {
    body.add("lost");
    throw new Error("midway");
  };
  expect(() => chunksOf(failing)).toThrow("midway");
  expect(read(made([plain("kept")]))).toBe("kept");
});
