import fc from "fast-check";
import { expect, test } from "vitest";
import { EventDecoder } from "../../../src/upstreams/http/sse-decoder.js";

function dataOf(chunks: readonly Buffer[], maxLength = 1_000_000): string[] {
  const decoder = new EventDecoder(maxLength, "It");
  const all: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let data = decoder.next(); data !== undefined; data = decoder.next()) all.push(data);
  }
  return all;
}

const stream = (...data: string[]) => Buffer.from(data.map((each) => `data: ${each}\n\n`).join(""));

test("events come out whole however the bytes were split", () => {
  // Control characters would end a line; JSON, which is what travels here, escapes them.
  const json = fc.string({ unit: "binary", maxLength: 100 }).map((text) => JSON.stringify({ text }));
  fc.assert(
    fc.property(
      fc.array(json, { maxLength: 10 }),
      fc.array(fc.nat(2_000), { maxLength: 40 }),
      (texts, cuts) => {
        const bytes = stream(...texts);
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(dataOf(chunks)).toEqual(texts.map((text) => Buffer.from(text).toString()));
      },
    ),
    { numRuns: 300 },
  );
});

test("comments, other fields and ends of line of every kind change nothing", () => {
  const source =
    ': ping\n\ndata: one\r\n\r\nevent: x\nid: 7\ndata: two\n\n: …\nretry: 5\nnonsense\ndata:three\r\r\ndata: "四"\n\n';
  const expected = ["one", "two", "three", '"四"'];
  expect(dataOf([Buffer.from(source)])).toEqual(expected);
  expect(dataOf(Array.from(Buffer.from(source), (byte) => Buffer.from([byte])))).toEqual(expected);
});

test("a byte order mark in front is left out, and nowhere else", () => {
  const source = Buffer.from("\ufeffdata: \ufeffone\n\n");
  expect(dataOf([source])).toEqual(["\ufeffone"]);
  expect(dataOf(Array.from(source, (byte) => Buffer.from([byte])))).toEqual(["\ufeffone"]);
});

test("an event that never ends is refused at the limit, after those before it were given", () => {
  const decoder = new EventDecoder(1_000, "It");
  decoder.push(Buffer.concat([stream("good"), Buffer.from(`data: ${"x".repeat(2_000)}`)]));
  expect(decoder.next()).toBe("good");
  expect(() => decoder.next()).toThrow(/more than 1000 characters/);
});

test("an event in many lines counts as one towards the limit", () => {
  expect(() => dataOf(Array<Buffer>(100).fill(Buffer.from(`data: ${"x".repeat(100)}\n`)), 5_000)).toThrow(
    /more than 5000/,
  );
});

test("what came without its empty line is no event", () => {
  expect(dataOf([Buffer.from('data: {"event":"all_done"}\n')])).toEqual([]);
});
