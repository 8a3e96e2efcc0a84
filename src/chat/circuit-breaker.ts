import { type ErrorCode, GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";

/** Failures of the upstream itself, not of one request or one account. */
const countedCodes = new Set<ErrorCode>([
  "upstream_unavailable",
  "upstream_cut",
  "upstream_protocol",
  "timeout",
]);

/**
 * Opens after `limits.breakerFailures` failures in a row; while it is open, other upstreams are preferred. After a
 * pause one request may try it (half-open). Each failed try doubles the pause, up to `limits.breakerLongestPause`.
 */
export class CircuitBreaker {
  #failures = 0;
  #retryAt = 0;
  #pause: number = limits.breakerPause;

  get isOpen(): boolean {
    return this.#failures >= limits.breakerFailures;
  }

  /** Whether this upstream may be preferred now: closed, or due for a try. Times are milliseconds since the epoch. */
  allowsRequests(now = Date.now()): boolean {
    return !this.isOpen || now >= this.#retryAt;
  }

  /** A request is sent. If the breaker is open, further tries wait for another pause. */
  recordAttempt(now = Date.now()): void {
    if (this.isOpen) this.#retryAt = now + this.#pause;
  }

  recordSuccess(): void {
    this.#failures = 0;
    this.#pause = limits.breakerPause;
  }

  recordFailure(error: unknown, now = Date.now()): void {
    if (!(error instanceof GatewayError) || !countedCodes.has(error.code)) return;
    if (this.isOpen) this.#pause = Math.min(2 * this.#pause, limits.breakerMaxPause);
    this.#failures++;
    if (this.isOpen) this.#retryAt = now + this.#pause;
  }
}
