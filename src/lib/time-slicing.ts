import { setImmediate } from "node:timers/promises";

/** How long one piece of work may hold everybody up, in milliseconds. */
const maxSliceMs = 4;

/** Long work in slices: between two of them all streams have their turn. */
export class TimeSlicer {
  #startedAt = performance.now();

  /** To be awaited after each small step of the work; lets the others go first once a slice is over. */
  yieldIfDue(): Promise<void> | undefined {
    return performance.now() - this.#startedAt < maxSliceMs ? undefined : this.#yield();
  }

  async #yield(): Promise<void> {
    await setImmediate();
    this.#startedAt = performance.now();
  }
}

/** The text in pieces of about this length. No pair of surrogates is cut in two. */
export function* textChunks(text: string, length: number): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const to = from + length;
    const last = text.charCodeAt(to - 1);
    const end = last >= 0xd800 && last <= 0xdbff ? to - 1 : to;
    yield text.slice(from, end);
    from = end;
  }
}
