import type { BucketState, RateAllowance, SharedBuckets } from "../core/shared-buckets.js";
import { TokenBuckets } from "./token-buckets.js";

/**
 * Token buckets of the whole service where the store shares them, else of this process; also while the store cannot be
 * reached.
 */
export class ServiceBuckets {
  readonly #shared: SharedBuckets | undefined;
  readonly #local: TokenBuckets;

  /** `size`: buckets of this process that are remembered. */
  constructor(shared: SharedBuckets | undefined, size: number) {
    this.#shared = shared;
    this.#local = new TokenBuckets(size);
  }

  /** Takes one token; `isTaken` is false if the bucket is empty. */
  async take(name: string, allowance: RateAllowance): Promise<BucketState & { isTaken: boolean }> {
    const shared = await this.#shared?.take(name, allowance).catch(() => undefined);
    const isTaken = this.#local.take(name, allowance);
    return shared ?? { isTaken, ...this.#local.state(name, allowance) };
  }

  async state(name: string, allowance: RateAllowance): Promise<BucketState> {
    const shared = await this.#shared?.state(name, allowance).catch(() => undefined);
    return shared ?? this.localState(name, allowance);
  }

  /** As far as this process knows, at once. */
  localState(name: string, allowance: RateAllowance): BucketState {
    return this.#local.state(name, allowance);
  }
}
