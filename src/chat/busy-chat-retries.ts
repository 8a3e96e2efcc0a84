import { limits } from "../core/limits.js";
import { abortableSleep } from "../lib/abortable.js";
import { ConversationAnsweringError } from "./thread.js";

/**
 * Repetitions of one message that its chat refused because the upstream still answers in it, or has not stopped doing so
 * yet, which passes within seconds (kimi-web.md §2.9). Each comes after its delay in `limits.busyChatDelays`.
 */
export class BusyChatRetries {
  #refusals = 0;
  #nextAttemptAt = 0;

  /** True after the last repetition was refused, too: the message needs another chat. */
  get isExhausted(): boolean {
    return this.#refusals > limits.busyChatDelays.length;
  }

  /** Throws ConversationAnsweringError if the message should be sent again after `wait`. */
  recordRefusal(): void {
    const delay = limits.busyChatDelays[this.#refusals];
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
