import { GatewayError } from "../core/errors.js";
import type { Principal } from "../core/types.js";
import { KeySlots, type KeySlotsOptions } from "../lib/key-slots.js";
import { queueRetryAfterSeconds, type Refusal, type Slot } from "../lib/slot-queue.js";

/**
 * The queue of each API key with a `concurrency`: its requests beyond that wait their turn, first in, first out. UIs send
 * the request for a title while the answer is still running (clients.md §0.14). In memory, so per process.
 */
export class KeyQueues {
  readonly #slots: KeySlots;

  constructor(options: Omit<KeySlotsOptions, "createBusyError">) {
    this.#slots = new KeySlots({ ...options, createBusyError: limitReachedError });
  }

  /**
   * Waits for the key's turn. Rejects with `rate_limited` and `retryAfterSeconds` if too many requests of the key wait or
   * its turn does not come in time, and with the signal's reason.
   */
  async acquire(
    { keyName, concurrency }: Pick<Principal, "keyName" | "concurrency">,
    signal: AbortSignal,
  ): Promise<Slot> {
    return concurrency === undefined ? unlimited : this.#slots.acquire(keyName, concurrency, signal);
  }
}

const unlimited: Slot = { release: () => {} };

function limitReachedError(refusal: Refusal, waitMs: number, concurrency: number): GatewayError {
  const reason = {
    full: "Too many of its requests wait already",
    "too slow": "Its other requests took too long",
  }[refusal];
  return new GatewayError(
    "rate_limited",
    `Moonbridge's own limit for this key is reached (concurrency: ${concurrency}). ${reason}; wait until one of them is done.`,
    { retryAfterSeconds: queueRetryAfterSeconds(waitMs) },
  );
}
