import { limits } from "../core/limits.js";

/** The pauses after failures of one sort, in milliseconds: the first is doubled up to the longest. */
export type Pauses = { readonly first: number; readonly longest: number };

/** Spaces attempts that fail. Up to half of a pause is left to chance, so that processes do not come all at once. */
export class Backoff {
  #sort: Pauses | undefined;
  #failures = 0;
  #until = 0;

  /** Milliseconds until the next attempt may be made. */
  get remaining(): number {
    return Math.max(0, this.#until - performance.now());
  }

  /** An attempt has failed; `atLeast` is what the other side asks for, within reason. */
  failed(sort: Pauses, atLeast = 0): void {
    this.#failures = sort === this.#sort ? this.#failures + 1 : 0;
    this.#sort = sort;
    const pause = Math.min(sort.longest, sort.first * 2 ** this.#failures) * (1 - Math.random() / 2);
    this.#until = performance.now() + Math.max(pause, Math.min(atLeast, limits.longestPause));
  }

  succeeded(): void {
    this.#sort = undefined;
    this.#until = 0;
  }
}
