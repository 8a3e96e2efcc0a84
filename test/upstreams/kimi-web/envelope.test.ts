import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  payloadOf,
} from "../../../src/upstreams/kimi-web/envelope.js";

const limit = 1_000_000;

function frame(flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flags;
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

function framesOf(decoder: FrameDecoder, chunk: Buffer): Frame[] {
  decoder.push(chunk);
  const frames: Frame[] = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
  return frames;
}

function decode(chunks: Buffer[]): { end: boolean; text: string }[] {
  const decoder = new FrameDecoder(limit);
  return chunks
    .flatMap((chunk) => framesOf(decoder, chunk))
    .map((frame) => ({ end: frame.last, text: payloadOf(frame) }));
}

test("a request is one frame: a zero flag byte, four bytes of length, the payload", () => {
  expect(encodeFrame('{"a":"天"}')).toEqual(frame(0, Buffer.from('{"a":"天"}')));
});

test("frames come out whole however the bytes were split", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary", maxLength: 200 }), { maxLength: 20 }),
      fc.array(fc.nat(2_000), { maxLength: 40 }),
      (texts, cuts) => {
        const bytes = Buffer.concat([...texts.map((text) => encodeFrame(text)), frame(2, Buffer.from("{}"))]);
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const whole = texts.map((text) => ({ end: false, text: Buffer.from(text).toString("utf8") }));
        expect(decode(chunks)).toEqual([...whole, { end: true, text: "{}" }]);
      },
    ),
    { numRuns: 300 },
  );
});

test("a length byte that looks like a brace is not taken for one", () => {
  const text = "x".repeat(0x7b);
  expect(decode([encodeFrame(text), frame(2, Buffer.from("{}"))])).toEqual([
    { end: false, text },
    { end: true, text: "{}" },
  ]);
});

test("compressed frames are unpacked, the end frame too", () => {
  const packed = gzipSync(Buffer.from('{"heartbeat":{}}'));
  expect(decode([frame(1, packed), frame(3, gzipSync("{}"))])).toEqual([
    { end: false, text: '{"heartbeat":{}}' },
    { end: true, text: "{}" },
  ]);
});

test("a compressed frame that is damaged, or a bomb, is a protocol error", () => {
  const decoder = () => new FrameDecoder(1_000);
  expect(() => framesOf(decoder(), frame(1, Buffer.from("not gzip")))).toThrow(/does not unpack/);
  expect(() => framesOf(decoder(), frame(1, gzipSync(Buffer.alloc(100_000))))).toThrow(/does not unpack/);
});

test("a frame over the limit is refused at its header, before its bytes are awaited", () => {
  const header = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
  expect(() => framesOf(new FrameDecoder(limit), header)).toThrow(/announced a frame of 2147483647 bytes/);
});

test("a large frame in many small pieces arrives whole", () => {
  const text = "0123456789".repeat(90_000);
  const bytes = encodeFrame(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 100) }, (_, at) =>
    bytes.subarray(at * 100, at * 100 + 100),
  );
  expect(decode(chunks)).toEqual([{ end: false, text }]);
});

test("frames before a bad one are given first", () => {
  const decoder = new FrameDecoder(limit);
  decoder.push(Buffer.concat([encodeFrame("good"), Buffer.from([0, 0x7f, 0xff, 0xff, 0xff])]));
  const good = decoder.next();
  expect(good && payloadOf(good)).toBe("good");
  expect(() => decoder.next()).toThrow(/announced/);
});
