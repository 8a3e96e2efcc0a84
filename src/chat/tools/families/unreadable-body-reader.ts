import { type CallReader, notACall } from "./call-reader.js";

const maxLength = 512;

/**
 * Reads what stands in our own tag and is no JSON, up to the closing tag in the same line. Without one the tag was only
 * mentioned.
 */
export class UnreadableBodyReader implements CallReader {
  readonly #closer: string;
  /** Nothing in it is an argument. */
  readonly interpreted = 0;
  #text = "";

  constructor(closer: string) {
    this.#closer = closer;
  }

  read(piece: string): number {
    const before = this.#text.length;
    this.#text += piece;
    const from = Math.max(0, before - this.#closer.length);
    const end = this.#text.indexOf(this.#closer, from);
    const lineEnd = this.#text.indexOf("\n", from);
    if (end !== -1 && (lineEnd === -1 || end < lineEnd)) return end + this.#closer.length - before;
    return lineEnd !== -1 || this.#text.length > maxLength ? notACall : -1;
  }
}
