/** Seven digits are 256 MB; a longer size line is not read here. */
const mostDigits = 7;

const [cr, lf] = [0x0d, 0x0a];
const nothing = Buffer.alloc(0);

/**
 * Takes the framing off a body in chunks (RFC 9112 §7.1), however it was split on the way. What is no plain chunk, such
 * as the last one, is left to a parser that knows them all.
 */
export class PlainChunks {
  /** Bytes of the chunk in hand that are still to come, the line's end behind it included. */
  #left = 0;
  /** What has arrived of a size line. */
  #line: Buffer = nothing;
  /** What is not for this parser, and all that is behind it; it lies in the bytes that were read last. */
  rest: Buffer | undefined;
  /** A chunk does not end where its size says, so that nothing behind it makes sense. */
  isBroken = false;

  /** What the chunks hold, if anything. It is moved together in place, so the bytes are good for nothing afterwards. */
  read(arrived: Buffer, length: number): Buffer | undefined {
    const isWhole = this.#line.length === 0;
    const bytes = isWhole ? arrived : Buffer.concat([this.#line, arrived.subarray(0, length)]);
    const size = isWhole ? length : bytes.length;
    this.#line = nothing;
    let [start, end] = [0, 0];
    for (let at = 0; at < size && !this.rest && !this.isBroken; ) {
      if (this.#left === 0) {
        at = this.#begin(bytes, at, size);
        continue;
      }
      const dataEnd = Math.min(at + this.#left - 2, size);
      if (dataEnd <= at) {
        this.isBroken = bytes[at++] !== (this.#left-- === 2 ? cr : lf);
        continue;
      }
      // Mostly there is but one, and it stays where it is.
      if (end === start) start = end = at;
      else bytes.copyWithin(end, at, dataEnd);
      end += dataEnd - at;
      this.#left -= dataEnd - at;
      at = dataEnd;
    }
    return end === start ? undefined : copied(bytes, start, end);
  }

  /** Reads a size line; where it stands behind that. */
  #begin(bytes: Buffer, from: number, size: number): number {
    let length = 0;
    let at = from;
    for (; at < size && at - from < mostDigits; at++) {
      const digit = digitOf(bytes[at]);
      if (digit === undefined) break;
      length = length * 16 + digit;
    }
    const isCut = at === size || (at + 1 === size && bytes[at] === cr);
    if (isCut) this.#line = copied(bytes, from, size);
    else if (length === 0 || bytes[at] !== cr || bytes[at + 1] !== lf) this.rest = bytes.subarray(from, size);
    else this.#left = length + 2;
    return isCut ? size : at + 2;
  }
}

function copied(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

function digitOf(byte = 0): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
