/** Characters that there is room for at first. */
const firstRoom = 256;

const nothing = new Uint16Array(0);

/**
 * A text that grows by small pieces. As strings they would cost many times their characters for as long as the answer
 * runs, and each would be one more thing to look up in memory.
 */
export class GrowingText {
  #units = nothing;
  /** In characters as JavaScript counts them. */
  length = 0;

  add(piece: string): void {
    const end = this.length + piece.length;
    if (end > this.#units.length) this.#makeRoom(end);
    const units = this.#units;
    for (let from = 0, to = this.length; to < end; from++, to++) units[to] = piece.charCodeAt(from);
    this.length = end;
  }

  /** Halves of characters stay what they are. */
  toString(): string {
    const { buffer, BYTES_PER_ELEMENT: size } = this.#units;
    return Buffer.from(buffer, 0, size * this.length).toString("utf16le");
  }

  #makeRoom(needed: number): void {
    const units = new Uint16Array(Math.max(firstRoom, 2 * this.#units.length, needed));
    units.set(this.#units);
    this.#units = units;
  }
}
