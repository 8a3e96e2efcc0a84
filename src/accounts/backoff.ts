import { limits } from "../core/limits.js";

/** Delays in milliseconds: `initial` after the first failure, doubled for each further one up to `max`. */
export type BackoffDelays = { readonly initial: number; readonly max: number };

/**
 * Exponential back-off between failed attempts. Jitter shortens a delay by up to a half, so that processes do not retry
 * all at once.
 */
export class Backoff {
  #delays: BackoffDelays | undefined;
  #failures = 0;
  #nextAttemptAt = 0;

  /** Milliseconds until the next attempt may be made. */
  get remaining(): number {
    return Math.max(0, this.#nextAttemptAt - performance.now());
  }

  /**
   * Records a failed attempt. `minimumDelay`: the delay in milliseconds that the server requests, at most
   * `maxRefreshPause`.
   */
  recordFailure(delays: BackoffDelays, minimumDelay = 0): void {
    this.#failures = delays === this.#delays ? this.#failures + 1 : 0;
    this.#delays = delays;
    const delay = Math.min(delays.max, delays.initial * 2 ** this.#failures) * (1 - Math.random() / 2);
    this.#nextAttemptAt = performance.now() + Math.max(delay, Math.min(minimumDelay, limits.maxRefreshPause));
  }

  reset(): void {
    this.#delays = undefined;
    this.#nextAttemptAt = 0;
  }
}
