import { limits } from "../config/limits.js";

/** What histories took in tokens, by their names, as far as they were counted lately: a long one is not counted anew each turn. */
export class TokenCounts {
  readonly #counted = new Map<string, number>();

  of(name: string): number | undefined {
    return this.#counted.get(name);
  }

  remember(name: string, tokens: number): void {
    this.#counted.delete(name);
    this.#counted.set(name, tokens);
    if (this.#counted.size <= limits.countedHistories) return;
    for (const oldest of this.#counted.keys()) {
      this.#counted.delete(oldest);
      return;
    }
  }
}
