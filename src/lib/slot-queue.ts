/** `depth`: waiters, over all keys; `maxWait`: milliseconds that a waiter may wait. */
export type WaitLimits = { depth: number; maxWait: number };

export type SlotQueueOptions = {
  /** Slots in use at the same time. */
  concurrency: number;
  /** How many may wait and how long, read when a caller has to wait. */
  waitLimits: () => WaitLimits;
  /** Milliseconds between the starts of two pieces of work; default 0. */
  minInterval?: number;
  /** Called when a caller has to wait; `position` counts from 1. */
  onWait?: (entry: { position: number }) => void;
  /** The error of a caller that gets no slot. `waitMs`: estimated time until the queue is through, in milliseconds. */
  createBusyError: (refusal: Refusal, waitMs: number) => Error;
};

/** Why a caller gets no slot: too many wait already, or it has waited for `maxWait`. */
export type Refusal = "full" | "too slow";

/** For `Retry-After`, from the estimated wait in milliseconds: at least a second, at most ten minutes. */
export function queueRetryAfterSeconds(waitMs: number): number {
  return Math.min(600, Math.max(1, Math.ceil(waitMs / 1_000)));
}

/** The right to do one piece of work. Release it when the work has ended; further calls do nothing. */
export type Slot = { release(): void };

/** Slots, and the queue for them; callers are served round-robin between keys, first in, first out within a key. */
export interface SlotSource {
  /** Slots in use, and callers that wait, in this process. */
  readonly running: number;
  readonly waiting: number;
  /** Waits for a free slot. Rejects with `createBusyError`, with the error of `rejectAll`, or with the signal's reason. */
  acquire(key: string, signal: AbortSignal): Promise<Slot>;
  /** Throws the error that `acquire` would reject with at once, if it is known. */
  throwIfFull(): void;
  /**
   * For further work within a slot: reserves its start, and returns the milliseconds until then. The starts of others come
   * after it.
   */
  reserveStart(): number;
  /** Hands out no slots until `resume`. */
  pause(): void;
  resume(): void;
  /** Rejects all waiters. */
  rejectAll(error: Error): void;
}

type Waiter = { start(): void; reject(error: unknown): void };

/**
 * A bounded number of slots, and the queue for them: round-robin between keys, first in, first out within a key, so that
 * a busy key does not delay the others.
 */
export class SlotQueue implements SlotSource {
  readonly #options: SlotQueueOptions;
  /** Waiters by key, in round-robin order: the next key to be served is first. */
  readonly #waitersByKey = new Map<string, Waiter[]>();
  #running = 0;
  #waiting = 0;
  #isPaused = false;
  /** The earliest time of the next start, by `performance.now`, and the timer that waits for it. */
  #nextStart = 0;
  #startTimer: NodeJS.Timeout | undefined;
  /** How long a slot is used in milliseconds, as an exponential moving average. */
  #serviceTime = 10_000;

  constructor(options: SlotQueueOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  async acquire(key: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    if (this.#hasFreeSlot()) return this.#occupySlot();
    this.throwIfFull();
    this.#options.onWait?.({ position: this.#waiting + 1 });
    return this.#enqueue(key, signal);
  }

  throwIfFull(): void {
    if (!this.#hasFreeSlot() && this.#waiting >= this.#options.waitLimits().depth)
      throw this.#busyError("full");
  }

  reserveStart(): number {
    const now = performance.now();
    const start = Math.max(now, this.#nextStart);
    this.#nextStart = start + this.#minInterval;
    return start - now;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#startWaiters();
  }

  rejectAll(error: Error): void {
    const waiters = [...this.#waitersByKey.values()].flat();
    this.#waitersByKey.clear();
    this.#waiting = 0;
    for (const waiter of waiters) waiter.reject(error);
  }

  #enqueue(key: string, signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#remove(key, waiter);
        waiter.reject(signal.reason);
      };
      const timeout = setTimeout(() => {
        this.#remove(key, waiter);
        waiter.reject(this.#busyError("too slow"));
      }, this.#options.waitLimits().maxWait);
      const cleanUp = () => {
        clearTimeout(timeout);
        signal.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        start: () => {
          cleanUp();
          resolve(this.#occupySlot());
        },
        reject: (error) => {
          cleanUp();
          reject(error);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const waiters = this.#waitersByKey.get(key);
      if (waiters) waiters.push(waiter);
      else this.#waitersByKey.set(key, [waiter]);
      this.#waiting++;
      if (this.#nextStart > performance.now()) this.#startLater();
    });
  }

  get #minInterval(): number {
    return this.#options.minInterval ?? 0;
  }

  #hasFreeSlot(): boolean {
    return this.#canStart() && this.#waiting === 0 && this.#nextStart <= performance.now();
  }

  #canStart(): boolean {
    return !this.#isPaused && this.#running < this.#options.concurrency;
  }

  #occupySlot(): Slot {
    this.#running++;
    if (this.#minInterval > 0) this.#nextStart = performance.now() + this.#minInterval;
    const startedAt = performance.now();
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      this.#running--;
      this.#serviceTime += (performance.now() - startedAt - this.#serviceTime) * serviceTimeWeight;
      this.#startWaiters();
    };
    return { release };
  }

  #startWaiters(): void {
    while (this.#canStart() && this.#waiting > 0) {
      if (this.#nextStart > performance.now()) {
        this.#startLater();
        return;
      }
      const next = this.#waitersByKey.entries().next();
      if (next.done) return;
      const [key, waiters] = next.value;
      // The key goes to the end of the round-robin order.
      this.#waitersByKey.delete(key);
      const waiter = waiters.shift();
      if (waiters.length > 0) this.#waitersByKey.set(key, waiters);
      this.#waiting--;
      waiter?.start();
    }
  }

  #startLater(): void {
    clearTimeout(this.#startTimer);
    // A timer may fire a fraction of a millisecond early.
    const delay = Math.ceil(this.#nextStart - performance.now()) + 1;
    this.#startTimer = setTimeout(() => this.#startWaiters(), delay).unref();
  }

  #remove(key: string, waiter: Waiter): void {
    const waiters = this.#waitersByKey.get(key);
    const index = waiters?.indexOf(waiter) ?? -1;
    if (!waiters || index === -1) return;
    waiters.splice(index, 1);
    if (waiters.length === 0) this.#waitersByKey.delete(key);
    this.#waiting--;
  }

  #busyError(refusal: Refusal): Error {
    const rounds = Math.ceil((this.#waiting + 1) / this.#options.concurrency);
    const spacing = (this.#waiting + 1) * this.#minInterval;
    return this.#options.createBusyError(refusal, Math.max(rounds * this.#serviceTime, spacing));
  }
}

const serviceTimeWeight = 0.2;
