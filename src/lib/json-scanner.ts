const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];
/** The greatest byte that is white space in JSON: space, tab, LF and CR. */
const lastWhiteSpace = 0x20;

/**
 * Counts the values and the depth of a JSON text, in chunks of bytes split anywhere, without parsing it. Keys are not
 * values; brackets inside strings do not count. Does not validate: up to the first invalid byte, where a parser stops,
 * the counts are exact.
 */
export class JsonScanner {
  /** Strings, numbers, literals, arrays and objects so far. */
  values = 0;
  /** The deepest nesting of arrays and objects so far. */
  maxDepth = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** In a number or a literal. */
  #isInScalar = false;

  scan(bytes: Buffer): void {
    for (let position = 0; position < bytes.length; ) {
      if (this.#isInString) position = this.#skipString(bytes, position);
      else this.#scanByte(bytes[position++] ?? 0);
    }
  }

  /** Returns the position after the string's closing quote, or the end of the chunk. */
  #skipString(bytes: Buffer, from: number): number {
    const start = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    for (let position = start; ; ) {
      const end = bytes.indexOf(quote, position);
      const isEscaped = isAfterEscape(bytes, start, end === -1 ? bytes.length : end);
      if (end === -1) {
        this.#isEscaped = isEscaped;
        return bytes.length;
      }
      position = end + 1;
      if (isEscaped) continue;
      this.#isInString = false;
      return position;
    }
  }

  #scanByte(byte: number): void {
    const continuesScalar = this.#isInScalar;
    this.#isInScalar = false;
    switch (byte) {
      case quote:
        this.#isInString = true;
        this.values++;
        return;
      case openBracket:
      case openBrace:
        this.values++;
        this.#depth++;
        if (this.#depth > this.maxDepth) this.maxDepth = this.#depth;
        return;
      case closeBracket:
      case closeBrace:
        this.#depth--;
        return;
      case colon:
        // The string before it was a key.
        this.values--;
        return;
      case comma:
        return;
      default:
        if (byte <= lastWhiteSpace) return;
        this.#isInScalar = true;
        if (!continuesScalar) this.values++;
    }
  }
}

/** Whether an odd number of backslashes ends at this position of a string. */
function isAfterEscape(bytes: Buffer, start: number, position: number): boolean {
  let first = position;
  while (first > start && bytes[first - 1] === backslash) first--;
  return (position - first) % 2 === 1;
}
