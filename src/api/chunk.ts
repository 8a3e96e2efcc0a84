/** Bytes that chunks are made in, one behind the other. A client that takes nothing holds on to no more than one. */
const roomSize = 16_384;
let room = Buffer.allocUnsafeSlow(roomSize);
let used = 0;

/** A chunk that may take more is measured first, or it would hold on to three times its size. */
const largest = 524_288;
/** Up to five digits and a line's end stand in front of a chunk, a line's end behind it. */
const [before, behind] = [7, 2];
const digits = Buffer.from("0123456789abcdef");

/**
 * Text, which is not empty, as a chunk of a body (RFC 9112 §7.1). Made in place: as a string it would be copied once
 * to be measured, and once more to be joined with its length.
 */
export function chunkOf(text: string): Buffer {
  // A character of a string takes three bytes at most.
  const most = before + 3 * text.length + behind;
  if (most > largest) return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  if (most > roomSize) return chunkIn(Buffer.allocUnsafeSlow(most), 0, text);
  if (used + most > roomSize) {
    room = Buffer.allocUnsafeSlow(roomSize);
    used = 0;
  }
  const chunk = chunkIn(room, used, text);
  used = chunk.byteOffset + chunk.length;
  return chunk;
}

function chunkIn(bytes: Buffer, at: number, text: string): Buffer {
  const textAt = at + before;
  const length = bytes.write(text, textAt);
  let start = textAt - 2;
  for (let rest = length; rest > 0; rest >>= 4) bytes[--start] = digits[rest & 15] ?? 0;
  writeLineEnd(bytes, textAt - 2);
  writeLineEnd(bytes, textAt + length);
  return bytes.subarray(start, textAt + length + behind);
}

function writeLineEnd(bytes: Buffer, at: number): void {
  bytes[at] = 0x0d;
  bytes[at + 1] = 0x0a;
}
