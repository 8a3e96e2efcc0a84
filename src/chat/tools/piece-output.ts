import type { CallPiece } from "./call-pieces.js";
import { MarkupUnescaper } from "./escape-markup.js";

/** White space of at most this length is held, since it is left out where a call follows. */
const maxSpace = 48;

/**
 * Collects the pieces of an answer. Unescapes its text, of which white space at the end and the beginning of an escaped tag are
 * held back.
 */
export class PieceOutput {
  readonly #unescaper = new MarkupUnescaper();
  #space = "";
  #pieces: CallPiece[] = [];

  addText(added: string): void {
    this.#pushText(this.#holdSpace(this.#unescaper.add(added)));
  }

  /** Adds a call. The white space in front of it is left out. */
  addCall(...pieces: readonly CallPiece[]): void {
    this.#pushText(this.#holdSpace(this.#unescaper.end()));
    this.#space = "";
    this.#pieces.push(...pieces);
  }

  /** Adds pieces behind the text so far. */
  add(...pieces: readonly CallPiece[]): void {
    this.#pieces.push(...pieces);
  }

  /** Counts text that belongs to no call and is left out. */
  discard(text: string): void {
    if (text === "") return;
    this.add({ type: "discarded", characters: text.length, hasContent: /\S/.test(text) });
  }

  /** Returns the text that is held back. */
  takeHeld(): string {
    const text = this.#space + this.#unescaper.end();
    this.#space = "";
    return text;
  }

  /** Returns the pieces so far. */
  take(): CallPiece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** Ends the text and returns the last pieces. */
  end(): CallPiece[] {
    this.#pushText(this.takeHeld());
    return this.take();
  }

  #pushText(text: string): void {
    if (text !== "") this.#pieces.push({ type: "text", text });
  }

  #holdSpace(added: string): string {
    if (added === "") return "";
    const text = this.#space + added;
    let end = text.length;
    while (end > 0 && text.length - end < maxSpace && /\s/.test(text.charAt(end - 1))) end--;
    this.#space = text.slice(end);
    return text.slice(0, end);
  }
}
