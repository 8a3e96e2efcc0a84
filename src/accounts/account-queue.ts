import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";

export type QueueOptions = {
  /** Answers that the account may generate at the same time. */
  concurrency: number;
  /** Requests that may wait, over all API keys. */
  depth: number;
  /** Milliseconds that a request may wait. */
  maxWait: number;
  /** Called when a request has to wait; `position` counts from 1. */
  onWait?: (entry: { position: number }) => void;
};

/** The running and waiting requests of an account, and what limits it. */
export type QueueState = {
  running: number;
  waiting: number;
  pause: Pause | undefined;
  /**
   * Set when Kimi reports a quota as used up, cleared by the next answer. `reportedAt`: milliseconds since the epoch.
   */
  quotaExceeded: { reportedAt: number; reason: GatewayError } | undefined;
};

/** No request is sent to the account until `until` (milliseconds since the epoch). */
export type Pause = { until: number; reason: GatewayError };

/**
 * The right to request one answer from the account. Release it when that answer has ended; further calls do nothing.
 */
export type Slot = { release(): void };

type Waiter = { start(): void; reject(error: unknown): void };

/**
 * The queue in front of one account (architecture.md): round-robin between API keys, first in, first out within a key,
 * so that a busy key does not delay the others. When Kimi limits the rate, the whole account pauses, so that waiting
 * requests do not each run into the limit.
 */
export class AccountQueue {
  readonly #options: QueueOptions;
  /** Waiting requests by API key, in round-robin order: the next key to be served is first. */
  readonly #waitersByKey = new Map<string, Waiter[]>();
  #running = 0;
  #waiting = 0;
  #pause: Pause | undefined;
  #quotaExceeded: QueueState["quotaExceeded"];
  #resumeTimer: NodeJS.Timeout | undefined;
  /** Duration of an answer in milliseconds, as an exponential moving average. */
  #serviceTime = 10_000;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get state(): QueueState {
    const [running, waiting, quotaExceeded] = [this.#running, this.#waiting, this.#quotaExceeded];
    return { running, waiting, pause: this.#activePause(), quotaExceeded };
  }

  /**
   * Waits for a free slot. Rejects with `account_busy` and `retryAfterSeconds` if the queue is full or `maxWait` has
   * passed, with the error behind the current pause if the pause outlasts `maxWait`, and with the signal's reason.
   */
  async acquire(key: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const pause = this.#activePause();
    if (pause && !this.#endsInTime(pause)) throw pauseError(pause);
    if (!pause && this.#running < this.#options.concurrency && this.#waiting === 0) return this.#occupySlot();
    if (this.#waiting >= this.#options.depth)
      throw this.#busyError("More requests wait for it already than it can take.");
    this.#options.onWait?.({ position: this.#waiting + 1 });
    return this.#enqueue(key, signal);
  }

  /** Call when an answer was completed: clears `quotaExceeded`. */
  recordSuccess(): void {
    this.#quotaExceeded = undefined;
  }

  /**
   * Call when an answer failed. A rate limit or an overload of the upstream pauses the account for the time in the
   * error.
   */
  recordFailure(error: unknown): void {
    // No pause: the quota may be that of a single model.
    if (error instanceof GatewayError && error.code === "quota_exceeded")
      this.#quotaExceeded = { reportedAt: Date.now(), reason: error };
    const durationMs = error instanceof GatewayError ? pauseMs(error) : 0;
    if (!(error instanceof GatewayError) || durationMs === 0) return;
    const until = Date.now() + durationMs;
    if (until <= (this.#activePause()?.until ?? 0)) return;
    this.#pause = { until, reason: error };
    clearTimeout(this.#resumeTimer);
    this.#resumeTimer = setTimeout(() => {
      this.#pause = undefined;
      this.#startWaiters();
    }, durationMs).unref();
    if (!this.#endsInTime(this.#pause)) this.#rejectAll(pauseError(this.#pause));
  }

  /** Rejects all waiting requests with `shutting_down` and clears the timer. */
  close(): void {
    clearTimeout(this.#resumeTimer);
    this.#rejectAll(new GatewayError("shutting_down", "Moonbridge is shutting down. Try again in a moment."));
  }

  #enqueue(key: string, signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#remove(key, waiter);
        waiter.reject(signal.reason);
      };
      const timeout = setTimeout(() => {
        this.#remove(key, waiter);
        waiter.reject(this.#busyError("The wait for it took too long."));
      }, this.#options.maxWait);
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
    });
  }

  #occupySlot(): Slot {
    this.#running++;
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
    while (!this.#activePause() && this.#running < this.#options.concurrency) {
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

  #remove(key: string, waiter: Waiter): void {
    const waiters = this.#waitersByKey.get(key);
    const index = waiters?.indexOf(waiter) ?? -1;
    if (!waiters || index === -1) return;
    waiters.splice(index, 1);
    if (waiters.length === 0) this.#waitersByKey.delete(key);
    this.#waiting--;
  }

  #rejectAll(error: GatewayError): void {
    const waiters = [...this.#waitersByKey.values()].flat();
    this.#waitersByKey.clear();
    this.#waiting = 0;
    for (const waiter of waiters) waiter.reject(error);
  }

  #activePause(): Pause | undefined {
    if (this.#pause && this.#pause.until <= Date.now()) this.#pause = undefined;
    return this.#pause;
  }

  /** Whether the pause ends within `maxWait`. */
  #endsInTime({ until }: Pause): boolean {
    return until - Date.now() <= this.#options.maxWait;
  }

  #busyError(reason: string): GatewayError {
    const rounds = Math.ceil((this.#waiting + 1) / this.#options.concurrency);
    const pausedMs = Math.max(0, (this.#activePause()?.until ?? 0) - Date.now());
    const seconds = Math.ceil((pausedMs + rounds * this.#serviceTime) / 1_000);
    return new GatewayError("account_busy", `This Kimi account is busy with other requests. ${reason}`, {
      retryAfterSeconds: Math.min(maxRetryAfterSeconds, Math.max(1, seconds)),
    });
  }
}

const serviceTimeWeight = 0.2;
/** Seconds. */
const maxRetryAfterSeconds = 600;

/** How long an error pauses the account, in milliseconds; 0 if it does not. */
function pauseMs({ code, retryAfterSeconds }: GatewayError): number {
  switch (code) {
    case "account_busy":
    case "rate_limited":
      return (retryAfterSeconds ?? 0) * 1_000;
    // An overload concerns all of Kimi, not this account, and may end at any moment.
    case "upstream_overloaded":
      return Math.min(limits.overloadPause, (retryAfterSeconds ?? 0) * 1_000);
    default:
      return 0;
  }
}

/** The error that caused the pause, with the remaining time as `retryAfterSeconds`. */
function pauseError({ until, reason }: Pause): GatewayError {
  return reason.withRetryAfter(until - Date.now());
}
