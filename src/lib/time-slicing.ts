import { setImmediate } from "node:timers/promises";

/** Milliseconds of CPU after which long work yields to the event loop. */
const maxSliceMs = 4;

/**
 * Splits long work into slices, between which the event loop serves other requests. Without it deltas of other streams are two
 * to five times as late at p99 while a transcript of 0.5 to 10 MB comes in (performance.md).
 */
export class TimeSlicer {
  #startedAt = performance.now();

  /** Await after each small step. Returns undefined within a slice, else a promise of the next event-loop iteration. */
  yieldIfDue(): Promise<void> | undefined {
    return performance.now() - this.#startedAt < maxSliceMs ? undefined : this.#yield();
  }

  async #yield(): Promise<void> {
    await setImmediate();
    this.#startedAt = performance.now();
  }
}
