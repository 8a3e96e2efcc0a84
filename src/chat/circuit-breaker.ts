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
 * Opens after `limits.breakerFailures` different prompts failed in a row; while it is open, other upstreams are preferred. After a
 * pause one request may try it (half-open). Each failed try doubles the pause, up to `limits.breakerMaxPause`.
 */
export class CircuitBreaker {
  /** The prompts that failed since the last success; no more than open the breaker. */
  readonly #failedPrompts = new Set<string>();
  #retryAt = 0;
  #pause: number = limits.breakerPause;

  get isOpen(): boolean {
    return this.#failedPrompts.size >= limits.breakerFailures;
  }

  /** True if closed, or open and due for a try. `now` is milliseconds since the epoch. */
  allowsRequests(now = Date.now()): boolean {
    return !this.isOpen || now >= this.#retryAt;
  }

  /** Call when a request is sent. If the breaker is open, the next try is allowed after another pause. */
  recordAttempt(now = Date.now()): void {
    if (this.isOpen) this.#retryAt = now + this.#pause;
  }

  recordSuccess(): void {
    this.#failedPrompts.clear();
    this.#pause = limits.breakerPause;
  }

  /** `prompt` identifies what was asked: a prompt that fails again and again may be the cause itself. */
  recordFailure(error: unknown, prompt: string, now = Date.now()): void {
    if (!(error instanceof GatewayError) || !countedCodes.has(error.code)) return;
    // What names a field is about this request, as an answer of another format than it demands.
    if (error.param !== undefined) return;
    if (this.isOpen) this.#pause = Math.min(2 * this.#pause, limits.breakerMaxPause);
    else this.#failedPrompts.add(prompt);
    if (this.isOpen) this.#retryAt = now + this.#pause;
  }
}
