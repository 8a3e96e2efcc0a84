import { type ErrorCode, GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";

/** Failures that say something about the upstream itself, not about one request or one account. */
const counted = new Set<ErrorCode>(["upstream_unavailable", "upstream_cut", "upstream_protocol", "timeout"]);

/**
 * Remembers whether an upstream has been failing. It opens after some failures in a row; while it is open, other
 * upstreams are asked first. Once in a while a single request tries whether it is well again.
 */
export class Breaker {
  #failures = 0;
  #tryAgainAt = 0;
  #pause: number = limits.breakerPause;

  /** True while the upstream is better left alone. */
  get isOpen(): boolean {
    return this.#failures >= limits.breakerFailures;
  }

  /** Whether to ask the upstream before others. */
  admits(now = Date.now()): boolean {
    return !this.isOpen || now >= this.#tryAgainAt;
  }

  /** It is asked: where it is open, nobody else tries meanwhile. */
  begin(now = Date.now()): void {
    if (this.isOpen) this.#tryAgainAt = now + this.#pause;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pause = limits.breakerPause;
  }

  failed(error: unknown, now = Date.now()): void {
    if (!(error instanceof GatewayError) || !counted.has(error.code)) return;
    if (this.isOpen) this.#pause = Math.min(2 * this.#pause, limits.breakerLongestPause);
    this.#failures++;
    if (this.isOpen) this.#tryAgainAt = now + this.#pause;
  }
}
