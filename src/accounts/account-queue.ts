import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import { pauseCodes, type SharedPause, type SharedSlots } from "../core/shared-slots.js";
import { abortableSleep } from "../lib/abortable.js";
import {
  queueRetryAfterSeconds,
  type Refusal,
  type Slot,
  SlotQueue,
  type SlotQueueOptions,
  type SlotSource,
} from "../lib/slot-queue.js";
import { SharedSlotQueue } from "./shared-slot-queue.js";

/**
 * `concurrency`: answers that the account may generate at the same time; `waitLimits`: how many requests may wait, over all
 * API keys, and how long; `minInterval`: milliseconds between the starts of two messages.
 */
export type QueueOptions = Omit<SlotQueueOptions, "createBusyError">;

/** The slots that several processes share; `account`: the name of the upstream. */
export type SharedQueueOptions = {
  slots: SharedSlots;
  account: string;
  onLost: (count: number) => void;
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
 * The queue in front of one account (architecture.md): round-robin between API keys, first in, first out within a key,
 * so that a busy key does not delay the others. When Kimi limits the rate, the whole account pauses, so that waiting
 * requests do not each run into the limit.
 */
export class AccountQueue {
  readonly #waitLimits: QueueOptions["waitLimits"];
  readonly #slots: SlotSource;
  /** Uploads are no answers: they go beside these, as many at a time. */
  readonly #uploadSlots: SlotSource;
  readonly #shared: SharedQueueOptions | undefined;
  #pause: Pause | undefined;
  #quotaExceeded: QueueState["quotaExceeded"];
  /** The prompt of the last failure that may concern that prompt alone; cleared by the next answer. */
  #suspectPrompt: string | undefined;
  #resumeTimer: NodeJS.Timeout | undefined;

  /** Without `shared`, the account's slots are those of this process. */
  constructor(options: QueueOptions, shared?: SharedQueueOptions) {
    this.#waitLimits = options.waitLimits;
    this.#shared = shared;
    this.#slots = this.#createSlots(options, "answers");
    const { onWait: _, minInterval: _interval, ...uploadOptions } = options;
    this.#uploadSlots = this.#createSlots(uploadOptions, "uploads");
  }

  #createSlots(options: QueueOptions, work: "answers" | "uploads"): SlotSource {
    const createBusyError = (refusal: Refusal, waitMs: number) => this.#busyError(refusal, waitMs);
    if (!this.#shared) return new SlotQueue({ ...options, createBusyError });
    const { slots, account, onLost } = this.#shared;
    const onPaused = (pause: SharedPause) => this.#takeOverPause(pause);
    const pool = `${work} of ${account}`;
    return new SharedSlotQueue({ ...options, createBusyError, slots, pool, onPaused, onLost });
  }

  get state(): QueueState {
    const { running, waiting } = this.#slots;
    return { running, waiting, pause: this.#activePause(), quotaExceeded: this.#quotaExceeded };
  }

  /**
   * Waits for a free slot. Rejects with `account_busy` and `retryAfterSeconds` if the queue is full or `maxWait` has
   * passed, with the error behind the current pause if the pause outlasts `maxWait`, and with the signal's reason.
   */
  acquire(key: string, signal: AbortSignal): Promise<Slot> {
    return this.#acquireFrom(this.#slots, key, signal);
  }

  /** The same for an upload, which does not wait for answers. */
  acquireUpload(key: string, signal: AbortSignal): Promise<Slot> {
    return this.#acquireFrom(this.#uploadSlots, key, signal);
  }

  /** Resolves when a further message may be sent within a slot. Rejects with the signal's reason. */
  async waitForStart(signal: AbortSignal): Promise<void> {
    const delay = this.#slots.reserveStart();
    if (delay > 0) await abortableSleep(delay, signal);
  }

  async #acquireFrom(slots: SlotSource, key: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    this.#throwIfPausedTooLong();
    return slots.acquire(key, signal);
  }

  /** Throws the error that `acquire` would reject with at once, if it would. */
  throwIfRefusing(): void {
    this.#throwIfPausedTooLong();
    this.#slots.throwIfFull();
  }

  #throwIfPausedTooLong(): void {
    const pause = this.#activePause();
    if (pause && !this.#endsInTime(pause)) throw pauseError(pause);
  }

  /** Call when an answer was completed: clears `quotaExceeded`. */
  recordSuccess(): void {
    this.#quotaExceeded = undefined;
    this.#suspectPrompt = undefined;
  }

  /**
   * Call when an answer failed; `prompt` identifies what was asked. A rate limit of the account pauses it for the time in
   * the error. An overload, and a limit that may concern one prompt alone, pause it only when the next prompt to fail is
   * another one.
   */
  recordFailure(error: unknown, prompt: string): void {
    // No pause: the quota may be that of a single model.
    if (error instanceof GatewayError && error.code === "quota_exceeded")
      this.#quotaExceeded = { reportedAt: Date.now(), reason: error };
    const durationMs = error instanceof GatewayError ? pauseMs(error) : 0;
    if (!(error instanceof GatewayError) || durationMs === 0) return;
    if (!isAccountWide(error) && !this.#isSecondPrompt(prompt)) return;
    if (this.#startPause(durationMs, error)) this.#sharePause(durationMs, error);
  }

  /** False if the account pauses for as long already. */
  #startPause(durationMs: number, reason: GatewayError): boolean {
    const until = Date.now() + durationMs;
    if (until <= (this.#activePause()?.until ?? 0)) return false;
    this.#pause = { until, reason };
    for (const slots of [this.#slots, this.#uploadSlots]) slots.pause();
    clearTimeout(this.#resumeTimer);
    this.#resumeTimer = setTimeout(() => this.#endPause(), durationMs).unref();
    if (!this.#endsInTime(this.#pause)) this.#rejectAll(pauseError(this.#pause));
    return true;
  }

  #sharePause(milliseconds: number, { code, message }: GatewayError): void {
    const shared = this.#shared;
    const pauseCode = pauseCodes.find((each) => each === code);
    if (!shared || !pauseCode) return;
    // Without the store, each process runs into the limit by itself.
    for (const work of ["answers", "uploads"])
      shared.slots
        .pause(`${work} of ${shared.account}`, { milliseconds, code: pauseCode, message })
        .catch(() => {});
  }

  /** Takes over a pause that a process has announced, perhaps this one. */
  #takeOverPause({ milliseconds, code, message }: SharedPause): void {
    const until = Date.now() + milliseconds;
    if (until <= (this.#activePause()?.until ?? 0) + announcementMs) return;
    this.#startPause(
      milliseconds,
      new GatewayError(code, message, { retryAfterSeconds: Math.ceil(milliseconds / 1_000) }),
    );
  }

  /** Whether another prompt has failed since the last answer. */
  #isSecondPrompt(prompt: string): boolean {
    const suspect = this.#suspectPrompt;
    this.#suspectPrompt = prompt;
    return suspect !== undefined && suspect !== prompt;
  }

  /** Rejects all waiting requests with `shutting_down` and clears the timer. */
  close(): void {
    clearTimeout(this.#resumeTimer);
    this.#rejectAll(new GatewayError("shutting_down", "Moonbridge is shutting down. Try again in a moment."));
  }

  #endPause(): void {
    this.#pause = undefined;
    for (const slots of [this.#slots, this.#uploadSlots]) slots.resume();
  }

  #rejectAll(error: GatewayError): void {
    for (const slots of [this.#slots, this.#uploadSlots]) slots.rejectAll(error);
  }

  #activePause(): Pause | undefined {
    if (this.#pause && this.#pause.until <= Date.now()) this.#endPause();
    return this.#pause;
  }

  /** Whether the pause ends while a request may wait. */
  #endsInTime({ until }: Pause): boolean {
    return until - Date.now() <= this.#waitLimits().maxWait;
  }

  #busyError(refusal: Refusal, waitMs: number): GatewayError {
    const pausedMs = Math.max(0, (this.#activePause()?.until ?? 0) - Date.now());
    return new GatewayError(
      "account_busy",
      `This Kimi account is busy with other requests. ${refusalReasons[refusal]}`,
      { retryAfterSeconds: queueRetryAfterSeconds(pausedMs + waitMs) },
    );
  }
}

/** How much later than a pause its announcement may arrive; it is no longer pause then. */
const announcementMs = 1_000;

const refusalReasons: Record<Refusal, string> = {
  full: "More requests wait for it already than it can take.",
  "too slow": "The wait for it took too long.",
};

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

/** Whether the error says of itself that other requests of the account would fail, too. */
function isAccountWide({ code, isAccountWide }: GatewayError): boolean {
  return isAccountWide ?? code !== "upstream_overloaded";
}

/** The error that caused the pause, with the remaining time as `retryAfterSeconds`. */
function pauseError({ until, reason }: Pause): GatewayError {
  return reason.withRetryAfter(until - Date.now());
}
