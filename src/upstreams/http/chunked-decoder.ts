/** Seven hex digits are 256 MB. A chunk with a longer size is left to undici. */
const maxSizeDigits = 7;

const [cr, lf] = [0x0d, 0x0a];
const emptyBuffer = Buffer.alloc(0);

/**
 * Decodes a chunked body (RFC 9112 §7.1), however its bytes are split. Handles only plain data chunks: the last chunk,
 * trailers and chunk extensions are left in `remainder`, for a complete HTTP parser.
 */
export class ChunkedDecoder {
  /** Bytes of the current chunk that have not arrived yet, its CR LF included. */
  #remainingInChunk = 0;
  /** The beginning of a size line whose rest has not arrived yet. */
  #partialSizeLine: Buffer = emptyBuffer;
  /** The first bytes that this decoder does not handle, and all that follow: a view into the last input. */
  remainder: Buffer | undefined;
  /** A chunk does not end where its size says. Nothing after it can be decoded. */
  isMalformed = false;

  /**
   * Returns a copy of the chunks' data; undefined if there is none. Overwrites `input`, so its bytes must not be used
   * again, except those of `remainder`.
   */
  decode(input: Buffer, length: number): Buffer | undefined {
    const startsAtBoundary = this.#partialSizeLine.length === 0;
    const bytes = startsAtBoundary
      ? input
      : Buffer.concat([this.#partialSizeLine, input.subarray(0, length)]);
    const size = startsAtBoundary ? length : bytes.length;
    this.#partialSizeLine = emptyBuffer;
    let [start, end] = [0, 0];
    for (let position = 0; position < size && !this.remainder && !this.isMalformed; ) {
      if (this.#remainingInChunk === 0) {
        position = this.#readSizeLine(bytes, position, size);
        continue;
      }
      const dataEnd = Math.min(position + this.#remainingInChunk - 2, size);
      if (dataEnd <= position) {
        this.isMalformed = bytes[position++] !== (this.#remainingInChunk-- === 2 ? cr : lf);
        continue;
      }
      // Usually there is only one chunk, which needs no move.
      if (end === start) start = end = position;
      else bytes.copyWithin(end, position, dataEnd);
      end += dataEnd - position;
      this.#remainingInChunk -= dataEnd - position;
      position = dataEnd;
    }
    return end === start ? undefined : copyRange(bytes, start, end);
  }

  /** Reads a size line. Returns the position after it. */
  #readSizeLine(bytes: Buffer, from: number, size: number): number {
    let length = 0;
    let position = from;
    for (; position < size && position - from < maxSizeDigits; position++) {
      const digit = hexDigitValue(bytes[position]);
      if (digit === undefined) break;
      length = length * 16 + digit;
    }
    const isIncomplete = position === size || (position + 1 === size && bytes[position] === cr);
    if (isIncomplete) this.#partialSizeLine = copyRange(bytes, from, size);
    else if (length === 0 || bytes[position] !== cr || bytes[position + 1] !== lf)
      this.remainder = bytes.subarray(from, size);
    else this.#remainingInChunk = length + 2;
    return isIncomplete ? size : position + 2;
  }
}

function copyRange(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

function hexDigitValue(byte = 0): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
