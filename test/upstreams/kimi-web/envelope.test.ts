import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Envelope,
  EnvelopeDecoder,
  encodeEnvelope,
  payloadText,
} from "../../../src/upstreams/kimi-web/envelope.js";

const maxBytes = 1_000_000;

function rawEnvelope(flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flags;
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

function decodeChunk(decoder: EnvelopeDecoder, chunk: Buffer): Envelope[] {
  decoder.push(chunk);
  const envelopes: Envelope[] = [];
  for (let envelope = decoder.next(); envelope; envelope = decoder.next()) envelopes.push(envelope);
  return envelopes;
}

function nextText(decoder: EnvelopeDecoder): string | undefined {
  const envelope = decoder.next();
  return envelope && payloadText(envelope);
}

function decode(chunks: Buffer[]): { end: boolean; text: string }[] {
  const decoder = new EnvelopeDecoder(maxBytes);
  return chunks
    .flatMap((chunk) => decodeChunk(decoder, chunk))
    .map((envelope) => ({ end: envelope.isEndOfStream, text: payloadText(envelope) }));
}

test("encodes a request as a zero flag byte, four bytes of length and the payload", () => {
  expect(encodeEnvelope('{"a":"天"}')).toEqual(rawEnvelope(0, Buffer.from('{"a":"天"}')));
});

test("decodes envelopes however the bytes are split", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary", maxLength: 200 }), { maxLength: 20 }),
      fc.array(fc.nat(2_000), { maxLength: 40 }),
      (texts, cuts) => {
        const bytes = Buffer.concat([
          ...texts.map((text) => encodeEnvelope(text)),
          rawEnvelope(2, Buffer.from("{}")),
        ]);
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const whole = texts.map((text) => ({ end: false, text: Buffer.from(text).toString("utf8") }));
        expect(decode(chunks)).toEqual([...whole, { end: true, text: "{}" }]);
      },
    ),
    { numRuns: 300 },
  );
});

test("decodes a length byte that equals a brace", () => {
  const text = "x".repeat(0x7b);
  expect(decode([encodeEnvelope(text), rawEnvelope(2, Buffer.from("{}"))])).toEqual([
    { end: false, text },
    { end: true, text: "{}" },
  ]);
});

test("decompresses envelopes, including the end of the stream", () => {
  const packed = gzipSync(Buffer.from('{"heartbeat":{}}'));
  expect(decode([rawEnvelope(1, packed), rawEnvelope(3, gzipSync("{}"))])).toEqual([
    { end: false, text: '{"heartbeat":{}}' },
    { end: true, text: "{}" },
  ]);
});

test("unpacks a large envelope in another thread; those behind it follow in order", async () => {
  const text = "0123456789".repeat(90_000);
  const decoder = new EnvelopeDecoder(maxBytes);
  decoder.push(encodeEnvelope("before"));
  expect(nextText(decoder)).toBe("before");
  decoder.push(rawEnvelope(1, gzipSync(Buffer.from(text))));
  decoder.push(encodeEnvelope("behind"));
  expect(decoder.next()).toBeUndefined();
  expect(decoder.pending).toBeInstanceOf(Promise);
  await decoder.pending;
  expect(nextText(decoder)).toBe(text);
  expect(nextText(decoder)).toBe("behind");
  expect(decoder.next()).toBeUndefined();
  expect(decoder.pending).toBeUndefined();
});

test("throws for a compressed envelope that unpacks to more than it states, or than the limit", async () => {
  const bomb = gzipSync(Buffer.alloc(70_000_000));
  const stating = (size: number) => {
    const packed = Buffer.from(bomb);
    packed.writeUInt32LE(size, packed.length - 4);
    return rawEnvelope(1, packed);
  };
  expect(() => decodeChunk(new EnvelopeDecoder(maxBytes), rawEnvelope(1, bomb))).toThrow(/does not unpack/);
  expect(() => decodeChunk(new EnvelopeDecoder(maxBytes), stating(10))).toThrow(/does not unpack/);
  const decoder = new EnvelopeDecoder(maxBytes);
  decoder.push(stating(maxBytes));
  expect(decoder.next()).toBeUndefined();
  await decoder.pending;
  expect(() => decoder.next()).toThrow(/does not unpack/);
});

test("throws for a compressed envelope that is damaged or a decompression bomb", () => {
  const decoder = () => new EnvelopeDecoder(1_000);
  expect(() => decodeChunk(decoder(), rawEnvelope(1, Buffer.from("not gzip")))).toThrow(/does not unpack/);
  expect(() => decodeChunk(decoder(), rawEnvelope(1, gzipSync(Buffer.alloc(100_000))))).toThrow(
    /does not unpack/,
  );
});

test("throws for an envelope over the limit as soon as its header has arrived", () => {
  const header = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
  expect(() => decodeChunk(new EnvelopeDecoder(maxBytes), header)).toThrow(
    /announced a frame of 2147483647 bytes/,
  );
});

test("decodes a large envelope in many small chunks", () => {
  const text = "0123456789".repeat(90_000);
  const bytes = encodeEnvelope(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 100) }, (_, at) =>
    bytes.subarray(at * 100, at * 100 + 100),
  );
  expect(decode(chunks)).toEqual([{ end: false, text }]);
});

test("returns the envelopes before an invalid one", () => {
  const decoder = new EnvelopeDecoder(maxBytes);
  decoder.push(Buffer.concat([encodeEnvelope("good"), Buffer.from([0, 0x7f, 0xff, 0xff, 0xff])]));
  const good = decoder.next();
  expect(good && payloadText(good)).toBe("good");
  expect(() => decoder.next()).toThrow(/announced/);
});

test("decodes envelopes that never end with a read in time proportional to their bytes", () => {
  const envelope = encodeEnvelope("x".repeat(95));
  const bytes = Buffer.concat(Array<Buffer>(240_000).fill(envelope));
  const decoder = new EnvelopeDecoder(maxBytes);
  const startedAt = performance.now();
  let count = 0;
  for (let position = 0; position < bytes.length; position += 1_459) {
    decoder.push(bytes.subarray(position, position + 1_459));
    while (decoder.next()) count++;
  }
  expect(count).toBe(240_000);
  // Joining what was already decoded took minutes for these 24 MB.
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
