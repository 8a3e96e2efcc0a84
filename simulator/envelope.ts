import { gzipSync } from "node:zlib";

/** Flag bits of an envelope (kimi-web.md §2.1): the last one of a stream, the trailer. */
export const endOfStreamFlag = 0x02;
const compressedFlag = 0x01;

/** Flags and length. */
export const envelopeHeaderLength = 5;

/** Encodes an envelope: one byte of flags, four of length (big-endian), the payload (kimi-web.md §2.1). */
export function encodeEnvelope(payload: string, flags = 0): Buffer {
  const length = Buffer.byteLength(payload);
  const bytes = Buffer.allocUnsafe(envelopeHeaderLength + length);
  bytes[0] = flags;
  bytes.writeUInt32BE(length, 1);
  bytes.write(payload, envelopeHeaderLength);
  return bytes;
}

/** Encodes an envelope with a gzip payload, which Connect allows but Kimi was never seen to send (kimi-web.md §2.1). */
export function encodeGzipEnvelope(payload: string, flags = 0): Buffer {
  const compressed = gzipSync(payload, { level: 1 });
  const header = Buffer.alloc(envelopeHeaderLength);
  header[0] = flags | compressedFlag;
  header.writeUInt32BE(compressed.length, 1);
  return Buffer.concat([header, compressed]);
}

/** The header of an envelope that announces a payload of 2³¹−1 bytes, without the payload. */
export function oversizedHeader(): Buffer {
  return Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
}

/** The payload of a request; undefined unless it is exactly one envelope with flags 0 (kimi-web.md §2.1). */
export function decodeEnvelope(body: Buffer): string | undefined {
  if (body.length < envelopeHeaderLength || body[0] !== 0) return undefined;
  if (body.readUInt32BE(1) !== body.length - envelopeHeaderLength) return undefined;
  return body.toString("utf8", envelopeHeaderLength);
}
