import type { BucketState, RateAllowance } from "../core/shared-buckets.js";
import { BoundedMap } from "../lib/bounded-map.js";

/** Token buckets by name. Beyond `size` names the least recently used is dropped. */
export class TokenBuckets {
  readonly #buckets: BoundedMap<{ level: number; updatedAt: number }>;

  constructor(size: number) {
    this.#buckets = new BoundedMap(size);
  }

  /** Takes one token; false if the bucket is empty. */
  take(name: string, allowance: RateAllowance, now = performance.now()): boolean {
    const level = this.#level(name, allowance, now);
    if (wholeTokens(level) === 0) return false;
    this.#buckets.set(name, { level: level - 1, updatedAt: now });
    return true;
  }

  state(name: string, allowance: RateAllowance, now = performance.now()): BucketState {
    const level = this.#level(name, allowance, now);
    const secondsUntilLevel = (wanted: number) =>
      Math.max(0, Math.ceil(((wanted - level) * allowance.refillMs) / allowance.tokens / 1_000));
    return {
      remaining: wholeTokens(level),
      secondsToNext: secondsUntilLevel(1),
      secondsToFull: secondsUntilLevel(allowance.tokens),
    };
  }

  #level(name: string, { tokens, refillMs }: RateAllowance, now: number): number {
    const bucket = this.#buckets.get(name);
    return bucket ? Math.min(tokens, bucket.level + ((now - bucket.updatedAt) * tokens) / refillMs) : tokens;
  }
}

/** Rounds down with an epsilon, so that 0.9999999 counts as one token. */
function wholeTokens(level: number): number {
  return Math.floor(level + 1e-9);
}
