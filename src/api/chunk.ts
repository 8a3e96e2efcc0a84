/** Bytes that chunks are made in, one behind the other. A client that takes nothing holds on to no more than one. */
const roomSize = 16_384;
let room = Buffer.allocUnsafeSlow(roomSize);
let used = 0;

/** Up to four digits and a line's end stand in front of a chunk, a line's end behind it. */
const [before, behind] = [6, 2];
/** A character of a string takes three bytes at most. */
const longest = Math.floor((roomSize - before - behind) / 3);
const digits = Buffer.from("0123456789abcdef");

/**
 * Text, which is not empty, as a chunk of a body (RFC 9112 §7.1). Made in place: as a string it would be copied once
 * to be measured, and once more to be joined with its length.
 */
export function chunkOf(text: string): Buffer {
  if (text.length > longest) return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  if (used + before + 3 * text.length + behind > roomSize) {
    room = Buffer.allocUnsafeSlow(roomSize);
    used = 0;
  }
  const textAt = used + before;
  const length = room.write(text, textAt);
  let start = textAt - 2;
  for (let rest = length; rest > 0; rest >>= 4) room[--start] = digits[rest & 15] ?? 0;
  writeLineEnd(textAt - 2);
  writeLineEnd(textAt + length);
  used = textAt + length + behind;
  return room.subarray(start, used);
}

function writeLineEnd(at: number): void {
  room[at] = 0x0d;
  room[at + 1] = 0x0a;
}
