import { type Refusal, type Slot, SlotQueue, type WaitLimits } from "./slot-queue.js";

export type KeySlotsOptions = {
  /** How many callers of one key may wait and how long, read when a caller has to wait. */
  waitLimits: () => WaitLimits;
  /** Called when a caller has to wait; `position` counts from 1. */
  onWait?: (entry: { key: string; position: number }) => void;
  /** The error of a caller that gets no slot. `waitMs`: estimated time until the key's queue is through, in milliseconds. */
  createBusyError: (refusal: Refusal, waitMs: number, concurrency: number) => Error;
};

/** A bounded number of slots for each key, each with a queue of its own, so that no key waits for another. */
export class KeySlots {
  readonly #options: KeySlotsOptions;
  /** Only queues in use. */
  readonly #queues = new Map<string, SlotQueue>();

  constructor(options: KeySlotsOptions) {
    this.#options = options;
  }

  /**
   * Waits for one of the key's `concurrency` slots, first in, first out. Rejects with `createBusyError`, or with the
   * signal's reason.
   */
  async acquire(key: string, concurrency: number, signal: AbortSignal): Promise<Slot> {
    const queue = this.#queues.get(key) ?? this.#createQueue(key, concurrency);
    this.#queues.set(key, queue);
    const slot = await queue.acquire(key, signal);
    const release = () => {
      slot.release();
      if (queue.running === 0 && this.#queues.get(key) === queue) this.#queues.delete(key);
    };
    return { release };
  }

  #createQueue(key: string, concurrency: number): SlotQueue {
    const { waitLimits, onWait, createBusyError } = this.#options;
    return new SlotQueue({
      concurrency,
      waitLimits,
      onWait: ({ position }) => onWait?.({ key, position }),
      createBusyError: (refusal, waitMs) => createBusyError(refusal, waitMs, concurrency),
    });
  }
}
