import { describe, expect, test } from "vitest";
import { PlainChunks } from "../../../src/upstreams/http/chunked-decoder.js";

/** Reads pieces one after the other, each from a place that the next one overwrites, as a socket's are. */
function read(pieces: readonly string[]): { data: string; rest: string | undefined } {
  const landing = Buffer.alloc(100);
  const chunks = new PlainChunks();
  let data = "";
  let rest: string | undefined;
  for (const piece of pieces) {
    if (rest !== undefined) {
      if (!chunks.isBroken) rest += piece;
      continue;
    }
    data += chunks.read(landing, landing.write(piece, "latin1"))?.toString("latin1") ?? "";
    rest = chunks.isBroken ? "broken" : chunks.rest?.toString("latin1");
  }
  return { data, rest };
}

/** All that there is at once, in two pieces however they are cut, and byte by byte. */
function waysToSplit(bytes: string): string[][] {
  const pairs = Array.from(bytes, (_, at) => [bytes.slice(0, at), bytes.slice(at)]);
  return [...pairs, [...bytes]];
}

const bodies: [string, string, { data: string; rest?: string }][] = [
  ["plain chunks", "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n", { data: "hello world" }],
  ["chunks that are not all there", "5\r\nhello\r\n1F\r\nwor", { data: "hellowor" }],
  ["a body's end", "5\r\nhello\r\n0\r\n\r\n", { data: "hello", rest: "0\r\n\r\n" }],
  ["trailers", "5\r\nhello\r\n0\r\na: b\r\n\r\n", { data: "hello", rest: "0\r\na: b\r\n\r\n" }],
  ["an extension", "5\r\nhello\r\n2;a=b\r\nxy\r\n", { data: "hello", rest: "2;a=b\r\nxy\r\n" }],
  ["line ends as data", "4\r\n\r\n\r\n\r\n2\r\n0\r\r\n", { data: "\r\n\r\n0\r" }],
  [
    "sizes in capitals, with zeros in front",
    "00A\r\n0123456789\r\n0b\r\nabcdefghijk\r\n",
    { data: "0123456789abcdefghijk" },
  ],
  ["no size", "5\r\nhello\r\nworld\r\n", { data: "hello", rest: "world\r\n" }],
  [
    "a size that is too long to be one",
    "5\r\nhello\r\n00000001\r\nx",
    { data: "hello", rest: "00000001\r\nx" },
  ],
  ["a size that ends otherwise", "5\r\nhello\r\n3\rabc", { data: "hello", rest: "3\rabc" }],
];

describe("however they were split on the way", () => {
  test.each(bodies)("%s", (_, bytes, { data, rest }) => {
    for (const pieces of waysToSplit(bytes)) expect(read(pieces), pieces.join("|")).toEqual({ data, rest });
  });
});

test("where a chunk does not end where its size says, nothing behind it is read", () => {
  const bodies = { "3\r\nhello\r\n": "hel", "6\r\nhello\r\n0\r\n\r\n": "hello\r", "5\r\nhello\rX": "hello" };
  for (const [bytes, data] of Object.entries(bodies)) {
    for (const pieces of waysToSplit(bytes))
      expect(read(pieces), pieces.join("|")).toEqual({ data, rest: "broken" });
  }
});

test("what was read stays as it is when more arrives", () => {
  const chunks = new PlainChunks();
  const landing = Buffer.from("5\r\nhello\r\n5\r\nworld\r\n");
  const first = chunks.read(landing, landing.length);
  landing.fill("x");
  chunks.read(landing, landing.write("5\r\nother\r\n"));
  expect(first?.toString()).toBe("helloworld");
});
