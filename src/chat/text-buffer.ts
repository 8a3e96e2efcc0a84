/** In UTF-16 code units. */
const initialCapacity = 256;

const noUnits = new Uint16Array(0);

/**
 * Collects a text from small pieces in one array of UTF-16 code units. As separate strings, the pieces would cost many
 * times their characters in memory for as long as the answer runs.
 */
export class TextBuffer {
  #codeUnits = noUnits;
  /** In UTF-16 code units. */
  length = 0;

  append(piece: string): void {
    const end = this.length + piece.length;
    if (end > this.#codeUnits.length) this.#grow(end);
    const codeUnits = this.#codeUnits;
    for (let from = 0, to = this.length; to < end; from++, to++) codeUnits[to] = piece.charCodeAt(from);
    this.length = end;
  }

  /** Preserves lone surrogates. */
  toString(): string {
    const { buffer, BYTES_PER_ELEMENT: size } = this.#codeUnits;
    return Buffer.from(buffer, 0, size * this.length).toString("utf16le");
  }

  #grow(needed: number): void {
    const grown = new Uint16Array(Math.max(initialCapacity, 2 * this.#codeUnits.length, needed));
    grown.set(this.#codeUnits);
    this.#codeUnits = grown;
  }
}
