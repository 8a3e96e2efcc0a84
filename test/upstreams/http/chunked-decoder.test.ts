import { describe, expect, test } from "vitest";
import { ChunkedDecoder } from "../../../src/upstreams/http/chunked-decoder.js";

/** Decodes chunks of bytes, each from a buffer that the next one overwrites, as with a socket. */
function decode(pieces: readonly string[]): { data: string; rest: string | undefined } {
  const readBuffer = Buffer.alloc(100);
  const decoder = new ChunkedDecoder();
  let data = "";
  let rest: string | undefined;
  for (const piece of pieces) {
    if (rest !== undefined) {
      if (!decoder.isMalformed) rest += piece;
      continue;
    }
    data += decoder.decode(readBuffer, readBuffer.write(piece, "latin1"))?.toString("latin1") ?? "";
    rest = decoder.isMalformed ? "broken" : decoder.remainder?.toString("latin1");
  }
  return { data, rest };
}

/** The bytes whole, in two pieces cut at every offset, and byte by byte. */
function allSplits(bytes: string): string[][] {
  const pairs = Array.from(bytes, (_, at) => [bytes.slice(0, at), bytes.slice(at)]);
  return [...pairs, [...bytes]];
}

const bodies: [string, string, { data: string; rest?: string }][] = [
  ["plain chunks", "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n", { data: "hello world" }],
  ["incomplete chunks", "5\r\nhello\r\n1F\r\nwor", { data: "hellowor" }],
  ["the end of a body", "5\r\nhello\r\n0\r\n\r\n", { data: "hello", rest: "0\r\n\r\n" }],
  ["trailers", "5\r\nhello\r\n0\r\na: b\r\n\r\n", { data: "hello", rest: "0\r\na: b\r\n\r\n" }],
  ["a chunk extension", "5\r\nhello\r\n2;a=b\r\nxy\r\n", { data: "hello", rest: "2;a=b\r\nxy\r\n" }],
  ["line breaks in the data", "4\r\n\r\n\r\n\r\n2\r\n0\r\r\n", { data: "\r\n\r\n0\r" }],
  [
    "sizes in upper case, with leading zeros",
    "00A\r\n0123456789\r\n0b\r\nabcdefghijk\r\n",
    { data: "0123456789abcdefghijk" },
  ],
  ["a line that is no size", "5\r\nhello\r\nworld\r\n", { data: "hello", rest: "world\r\n" }],
  ["a size with too many digits", "5\r\nhello\r\n00000001\r\nx", { data: "hello", rest: "00000001\r\nx" }],
  ["a size without CR LF", "5\r\nhello\r\n3\rabc", { data: "hello", rest: "3\rabc" }],
];

describe("decodes, however the bytes are split", () => {
  test.each(bodies)("%s", (_, bytes, { data, rest }) => {
    for (const pieces of allSplits(bytes)) expect(decode(pieces), pieces.join("|")).toEqual({ data, rest });
  });
});

test("decodes nothing after a chunk that does not end where its size says", () => {
  const bodies = { "3\r\nhello\r\n": "hel", "6\r\nhello\r\n0\r\n\r\n": "hello\r", "5\r\nhello\rX": "hello" };
  for (const [bytes, data] of Object.entries(bodies)) {
    for (const pieces of allSplits(bytes))
      expect(decode(pieces), pieces.join("|")).toEqual({ data, rest: "broken" });
  }
});

test("returns data that later input does not overwrite", () => {
  const decoder = new ChunkedDecoder();
  const readBuffer = Buffer.from("5\r\nhello\r\n5\r\nworld\r\n");
  const first = decoder.decode(readBuffer, readBuffer.length);
  readBuffer.fill("x");
  decoder.decode(readBuffer, readBuffer.write("5\r\nother\r\n"));
  expect(first?.toString()).toBe("helloworld");
});
