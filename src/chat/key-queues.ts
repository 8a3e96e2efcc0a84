import { GatewayError } from "../core/errors.js";
import type { Principal } from "../core/types.js";
import { type Refusal, type Slot, SlotQueue } from "../lib/slot-queue.js";

export type KeyQueuesOptions = {
  /** Requests of one key that may wait. */
  depth: number;
  /** Milliseconds that a request may wait. */
  maxWait: number;
  /** Called when a request has to wait; `position` counts from 1. */
  onWait?: (entry: { key: string; position: number }) => void;
};

/**
 * The queue of each API key with a `concurrency`: its requests beyond that wait their turn, first in, first out. UIs send
 * the request for a title while the answer is still running (clients.md §0.14). In memory, so per process.
 */
export class KeyQueues {
  readonly #options: KeyQueuesOptions;
  /** Only queues in use. */
  readonly #queues = new Map<string, SlotQueue>();

  constructor(options: KeyQueuesOptions) {
    this.#options = options;
  }

  /**
   * Waits for the key's turn. Rejects with `rate_limited` and `retryAfterSeconds` if too many requests of the key wait or
   * its turn does not come in time, and with the signal's reason.
   */
  async acquire(
    { keyName, concurrency }: Pick<Principal, "keyName" | "concurrency">,
    signal: AbortSignal,
  ): Promise<Slot> {
    if (concurrency === undefined) return { release: () => {} };
    const queue = this.#queues.get(keyName) ?? this.#createQueue(keyName, concurrency);
    this.#queues.set(keyName, queue);
    const slot = await queue.acquire(keyName, signal);
    const release = () => {
      slot.release();
      if (queue.running === 0 && this.#queues.get(keyName) === queue) this.#queues.delete(keyName);
    };
    return { release };
  }

  #createQueue(key: string, concurrency: number): SlotQueue {
    const { depth, maxWait, onWait } = this.#options;
    return new SlotQueue({
      concurrency,
      depth,
      maxWait,
      onWait: ({ position }) => onWait?.({ key, position }),
      createBusyError: (refusal, waitMs) => limitReachedError(concurrency, refusal, waitMs),
    });
  }
}

function limitReachedError(concurrency: number, refusal: Refusal, waitMs: number): GatewayError {
  const reason = {
    full: "Too many of its requests wait already",
    "too slow": "Its other requests took too long",
  }[refusal];
  return new GatewayError(
    "rate_limited",
    `Moonbridge's own limit for this key is reached (concurrency: ${concurrency}). ${reason}; wait until one of them is done.`,
    { retryAfterSeconds: Math.min(maxRetryAfterSeconds, Math.max(1, Math.ceil(waitMs / 1_000))) },
  );
}

/** Seconds. */
const maxRetryAfterSeconds = 600;
