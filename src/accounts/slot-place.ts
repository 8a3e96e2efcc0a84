import type { Slot, SlotQueue } from "../lib/slot-queue.js";

/** A caller's place in the queue, and then its slot. */
export class SlotPlace {
  readonly key: string;
  /** Resolves when the slot is granted. */
  readonly granted: Promise<void>;
  #state: "waiting" | "held" | "ended" = "waiting";
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  /** Set once this process serves the place itself: ends the wait in its queue, or the slot that this has given. */
  #local: { abort: AbortController; slot: Slot | undefined } | undefined;

  constructor(key: string) {
    this.key = key;
    this.granted = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get state(): "waiting" | "held" | "ended" {
    return this.#state;
  }

  grant(): void {
    if (this.#state !== "waiting") return;
    this.#state = "held";
    if (!this.#local?.slot) this.#local?.abort.abort();
    this.#resolve();
  }

  fail(error: unknown): void {
    if (this.#state !== "waiting") return;
    this.end();
    this.#reject(error);
  }

  /** Also gives back what the queue of this process has given. */
  end(): void {
    this.#state = "ended";
    this.#local?.abort.abort();
    this.#local?.slot?.release();
  }

  /** Waits in the queue of this process as well, unless it does already. */
  waitLocally(queue: SlotQueue): void {
    if (this.#state !== "waiting" || this.#local) return;
    const local: { abort: AbortController; slot: Slot | undefined } = {
      abort: new AbortController(),
      slot: undefined,
    };
    this.#local = local;
    queue.acquire(this.key, local.abort.signal).then(
      (slot) => {
        if (this.#state !== "waiting") return slot.release();
        local.slot = slot;
        this.grant();
      },
      (error: unknown) => this.fail(error),
    );
  }
}
