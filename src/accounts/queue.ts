import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";

export type QueueOptions = {
  /** Answers that the account gives at a time. */
  concurrency: number;
  /** Requests that may wait, over all keys. */
  depth: number;
  /** Milliseconds that one may wait. */
  wait: number;
  /** Tells the log that a request waits, with how many before it. */
  tell?: (entry: { position: number }) => void;
};

/** What an account is doing; `usedUp`: Kimi said so of a quota, and has given no answer since. */
export type QueueState = {
  running: number;
  waiting: number;
  held: Hold | undefined;
  usedUp: { at: number; because: GatewayError } | undefined;
};

/** Why and until when (milliseconds since the epoch) nothing is asked of an account. */
export type Hold = { until: number; because: GatewayError };

/** The right to ask the account for one answer; given back once, when that answer is over. */
export type Slot = { release(): void };

type Waiter = { start(): void; refuse(error: unknown): void };

/**
 * The queue in front of one account (design §4): first come first served, in turns between API keys, so that one
 * that asks much keeps nobody else waiting. Kimi's own “not now” holds the whole account instead of being asked again
 * by everyone.
 */
export class AccountQueue {
  readonly #options: QueueOptions;
  /** Each key's waiters; the key whose turn it is stands first. */
  readonly #lines = new Map<string, Waiter[]>();
  #running = 0;
  #waiting = 0;
  #held: Hold | undefined;
  #usedUp: QueueState["usedUp"];
  #wake: NodeJS.Timeout | undefined;
  /** How long an answer takes, in milliseconds: a mean in which the latest counts most. */
  #serviceTime = 10_000;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get state(): QueueState {
    const [running, waiting, usedUp] = [this.#running, this.#waiting, this.#usedUp];
    return { running, waiting, held: this.#hold(), usedUp };
  }

  /**
   * Waits for a turn. Throws `account_busy` with a time to come back where the queue is full or the wait gets too
   * long, what holds the account where that will last longer, and the signal's reason; nothing stays behind then.
   */
  async enter(key: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const hold = this.#hold();
    if (hold && !this.#outlasts(hold)) throw lasting(hold);
    if (!hold && this.#running < this.#options.concurrency && this.#waiting === 0) return this.#begin();
    if (this.#waiting >= this.#options.depth)
      throw this.#busy("More requests wait for it already than it can take.");
    this.#options.tell?.({ position: this.#waiting + 1 });
    return this.#wait(key, signal);
  }

  /** An answer came to its good end. */
  answered(): void {
    this.#usedUp = undefined;
  }

  /** Learns from a failed answer: where the upstream said “not now”, the account is left alone for that long. */
  heed(error: unknown): void {
    // That holds nobody: it may be the quota of one model among others.
    if (error instanceof GatewayError && error.code === "quota_exceeded")
      this.#usedUp = { at: Date.now(), because: error };
    const milliseconds = error instanceof GatewayError ? pauseAfter(error) : 0;
    if (!(error instanceof GatewayError) || milliseconds === 0) return;
    const until = Date.now() + milliseconds;
    if (until <= (this.#hold()?.until ?? 0)) return;
    this.#held = { until, because: error };
    clearTimeout(this.#wake);
    this.#wake = setTimeout(() => {
      this.#held = undefined;
      this.#startNext();
    }, milliseconds).unref();
    if (!this.#outlasts(this.#held)) this.#refuseAll(lasting(this.#held));
  }

  /** Turns away who waits, and holds no timer any more. */
  close(): void {
    clearTimeout(this.#wake);
    this.#refuseAll(new GatewayError("shutting_down", "Moonbridge is shutting down. Try again in a moment."));
  }

  #wait(key: string, signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#remove(key, waiter);
        waiter.refuse(signal.reason);
      };
      const late = setTimeout(() => {
        this.#remove(key, waiter);
        waiter.refuse(this.#busy("The wait for it took too long."));
      }, this.#options.wait);
      const settle = () => {
        clearTimeout(late);
        signal.removeEventListener("abort", leave);
      };
      const waiter: Waiter = {
        start: () => {
          settle();
          resolve(this.#begin());
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      const line = this.#lines.get(key);
      if (line) line.push(waiter);
      else this.#lines.set(key, [waiter]);
      this.#waiting++;
    });
  }

  #begin(): Slot {
    this.#running++;
    const begun = performance.now();
    let over = false;
    const release = () => {
      if (over) return;
      over = true;
      this.#running--;
      this.#serviceTime += (performance.now() - begun - this.#serviceTime) * weightOfLatest;
      this.#startNext();
    };
    return { release };
  }

  #startNext(): void {
    while (!this.#hold() && this.#running < this.#options.concurrency) {
      const next = this.#lines.entries().next();
      if (next.done) return;
      const [key, line] = next.value;
      // The key goes to the end of the round.
      this.#lines.delete(key);
      const waiter = line.shift();
      if (line.length > 0) this.#lines.set(key, line);
      this.#waiting--;
      waiter?.start();
    }
  }

  #remove(key: string, waiter: Waiter): void {
    const line = this.#lines.get(key);
    const at = line?.indexOf(waiter) ?? -1;
    if (!line || at === -1) return;
    line.splice(at, 1);
    if (line.length === 0) this.#lines.delete(key);
    this.#waiting--;
  }

  #refuseAll(error: GatewayError): void {
    const waiters = [...this.#lines.values()].flat();
    this.#lines.clear();
    this.#waiting = 0;
    for (const waiter of waiters) waiter.refuse(error);
  }

  #hold(): Hold | undefined {
    if (this.#held && this.#held.until <= Date.now()) this.#held = undefined;
    return this.#held;
  }

  /** Whether anyone may wait for its end. */
  #outlasts({ until }: Hold): boolean {
    return until - Date.now() <= this.#options.wait;
  }

  #busy(why: string): GatewayError {
    const turns = Math.ceil((this.#waiting + 1) / this.#options.concurrency);
    const held = Math.max(0, (this.#hold()?.until ?? 0) - Date.now());
    const seconds = Math.ceil((held + turns * this.#serviceTime) / 1_000);
    return new GatewayError("account_busy", `This Kimi account is busy with other requests. ${why}`, {
      retryAfterSeconds: Math.min(longestAdvice, Math.max(1, seconds)),
    });
  }
}

const weightOfLatest = 0.2;
/** Seconds. */
const longestAdvice = 600;

/** How long an upstream's refusal keeps the account from being asked, in milliseconds. */
function pauseAfter({ code, retryAfterSeconds }: GatewayError): number {
  switch (code) {
    case "account_busy":
    case "rate_limited":
      return (retryAfterSeconds ?? 0) * 1_000;
    // It is not about this account, and may be over at any moment.
    case "upstream_overloaded":
      return Math.min(limits.overloadPause, (retryAfterSeconds ?? 0) * 1_000);
    default:
      return 0;
  }
}

/** What holds the account, told again to who comes meanwhile, with the time that is left. */
function lasting({ until, because }: Hold): GatewayError {
  return because.again(until - Date.now());
}
