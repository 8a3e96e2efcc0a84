/** Looks for the end of a span of code, a run of so many backticks in the same line, in a text that comes in pieces. */
export class SpanEnd {
  readonly #count: number;
  #read = 0;
  /** Backticks at the end of what was read. */
  #run = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /**
   * Reads on. Returns the position of the run, counted from the beginning of all pieces; `none` where the line ends before;
   * undefined if that depends on further text. `isEnd`: no more text follows.
   */
  read(piece: string, isEnd: boolean): number | "none" | undefined {
    for (const character of piece) {
      if (character === "`") {
        this.#run++;
      } else {
        if (this.#run === this.#count) return this.#read - this.#run;
        if (character === "\n") return "none";
        this.#run = 0;
      }
      this.#read += character.length;
    }
    if (!isEnd) return undefined;
    return this.#run === this.#count ? this.#read - this.#run : "none";
  }
}
