import { gzipSync } from "node:zlib";

/** Flag bits of an envelope (kimi-web.md §2.1). */
export const endOfStream = 0x02;
const compressed = 0x01;

const headerLength = 5;

/** One envelope: a byte of flags, four of length, the payload (kimi-web.md §2.1). */
export function envelope(payload: string, flags = 0): Buffer {
  const length = Buffer.byteLength(payload);
  const bytes = Buffer.allocUnsafe(headerLength + length);
  bytes[0] = flags;
  bytes.writeUInt32BE(length, 1);
  bytes.write(payload, headerLength);
  return bytes;
}

/** The same envelope with its payload compressed, as Connect allows and nobody has yet seen (kimi-web.md §2.1). */
export function gzipEnvelope(payload: string, flags = 0): Buffer {
  const packed = gzipSync(payload, { level: 1 });
  const header = Buffer.alloc(headerLength);
  header[0] = flags | compressed;
  header.writeUInt32BE(packed.length, 1);
  return Buffer.concat([header, packed]);
}

/** A header with more to come than anybody should wait for. */
export function hugeHeader(): Buffer {
  return Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
}

/** The payload of a request, which must be exactly one frame with flags 0 (kimi-web.md §2.1); else undefined. */
export function openEnvelope(body: Buffer): string | undefined {
  if (body.length < headerLength || body[0] !== 0) return undefined;
  if (body.readUInt32BE(1) !== body.length - headerLength) return undefined;
  return body.toString("utf8", headerLength);
}
