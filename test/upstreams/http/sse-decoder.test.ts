import fc from "fast-check";
import { expect, test } from "vitest";
import { SseDecoder } from "../../../src/upstreams/http/sse-decoder.js";

function decode(chunks: readonly Buffer[], maxLength = 1_000_000): string[] {
  const decoder = new SseDecoder(maxLength, "It");
  const all: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let data = decoder.next(); data !== undefined; data = decoder.next()) all.push(data);
  }
  return all;
}

const stream = (...data: string[]) => Buffer.from(data.map((each) => `data: ${each}\n\n`).join(""));

test("decodes events however the bytes are split", () => {
  // Control characters would end a line. The streams hold JSON, which escapes them.
  const json = fc.string({ unit: "binary", maxLength: 100 }).map((text) => JSON.stringify({ text }));
  fc.assert(
    fc.property(
      fc.array(json, { maxLength: 10 }),
      fc.array(fc.nat(2_000), { maxLength: 40 }),
      (texts, cuts) => {
        const bytes = stream(...texts);
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(decode(chunks)).toEqual(texts.map((text) => Buffer.from(text).toString()));
      },
    ),
    { numRuns: 300 },
  );
});

test("ignores comments and other fields, and accepts every kind of line break", () => {
  const source =
    ': ping\n\ndata: one\r\n\r\nevent: x\nid: 7\ndata: two\n\n: …\nretry: 5\nnonsense\ndata:three\r\r\ndata: "四"\n\n';
  const expected = ["one", "two", "three", '"四"'];
  expect(decode([Buffer.from(source)])).toEqual(expected);
  expect(decode(Array.from(Buffer.from(source), (byte) => Buffer.from([byte])))).toEqual(expected);
});

test("drops a byte order mark only at the start of the stream", () => {
  const source = Buffer.from("\ufeffdata: \ufeffone\n\n");
  expect(decode([source])).toEqual(["\ufeffone"]);
  expect(decode(Array.from(source, (byte) => Buffer.from([byte])))).toEqual(["\ufeffone"]);
});

test("throws for an event over the limit, after returning the events before it", () => {
  const decoder = new SseDecoder(1_000, "It");
  decoder.push(Buffer.concat([stream("good"), Buffer.from(`data: ${"x".repeat(2_000)}`)]));
  expect(decoder.next()).toBe("good");
  expect(() => decoder.next()).toThrow(/more than 1000 characters/);
});

test("counts all lines of an event towards the limit", () => {
  expect(() => decode(Array<Buffer>(100).fill(Buffer.from(`data: ${"x".repeat(100)}\n`)), 5_000)).toThrow(
    /more than 5000/,
  );
});

test("does not return an event without its blank line", () => {
  expect(decode([Buffer.from('data: {"event":"all_done"}\n')])).toEqual([]);
});

test("takes CR, LF and CR LF as line ends, wherever the bytes are split", () => {
  const bytes = Buffer.from("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\ndata: e\r\n\n");
  for (let length = 1; length <= bytes.length; length++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) =>
      bytes.subarray(index * length, (index + 1) * length),
    );
    expect(decode(chunks)).toEqual(["a", "b", "c", "d\ne"]);
  }
});

test("decodes many short lines before a CR in time proportional to their bytes", () => {
  const read = Buffer.from(`${"\n".repeat(65_535)}\r`);
  const startedAt = performance.now();
  expect(decode(Array<Buffer>(256).fill(read))).toEqual([]);
  // A search for the CR from each line took 13 s.
  expect(performance.now() - startedAt).toBeLessThan(6_000);
});
