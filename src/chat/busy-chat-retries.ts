import type { Capabilities } from "../core/capabilities.js";
import { limits } from "../core/limits.js";
import { abortableSleep } from "../lib/abortable.js";
import { ConversationAnsweringError } from "./thread.js";

/**
 * Repetitions of one message that its chat refused because the upstream still answers in it, or has not stopped doing so
 * yet, which passes within seconds (kimi-web.md §2.9). Each comes after its delay.
 */
export class BusyChatRetries {
  readonly #delays: readonly number[];
  #refusals = 0;
  #nextAttemptAt = 0;

  constructor(capabilities: Pick<Capabilities, "busySeconds"> | undefined) {
    this.#delays = delaysFor((capabilities?.busySeconds ?? 0) * 1_000);
  }

  /** True after the last repetition was refused, too: the message needs another chat. */
  get isExhausted(): boolean {
    return this.#refusals > this.#delays.length;
  }

  /** Throws ConversationAnsweringError if the message should be sent again after `wait`. */
  recordRefusal(): void {
    const delay = this.#delays[this.#refusals];
    this.#refusals++;
    if (delay === undefined) return;
    this.#nextAttemptAt = performance.now() + delay;
    throw new ConversationAnsweringError();
  }

  /** Resolves when the message may be sent again; rejects with the signal's reason. */
  async wait(signal: AbortSignal): Promise<void> {
    const delay = this.#nextAttemptAt - performance.now();
    if (delay > 0) await abortableSleep(delay, signal);
  }
}

/**
 * `limits.busyChatDelays`, longer in proportion where it is known to last longer; none where it lasts longer than
 * `limits.busyChatWait`.
 */
function delaysFor(milliseconds: number): readonly number[] {
  if (milliseconds > limits.busyChatWait) return [];
  const total = limits.busyChatDelays.reduce((sum, delay) => sum + delay, 0);
  return limits.busyChatDelays.map((delay) => delay * Math.max(1, milliseconds / total));
}
