import { type EventSink, type FinishReason, isVisible } from "../../core/types.js";
import type { Transform } from "./transform.js";

/** Called once each, when the batch with that event comes. */
export type OutputListener = { onFirstOutput?(): void; onFinish?(reason: FinishReason): void };

/** Observes how far an answer has come. */
export class OutputObserver implements Transform {
  readonly #listener: OutputListener;
  #hasOutput = false;
  #isFinished = false;

  constructor(listener: OutputListener = {}) {
    this.#listener = listener;
  }

  /** Whether the client can have seen anything of the answer. */
  get hasOutput(): boolean {
    return this.#hasOutput;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  events(sink: EventSink): EventSink {
    return (events) => {
      if (!this.#hasOutput && events.some(isVisible)) {
        this.#hasOutput = true;
        this.#listener.onFirstOutput?.();
      }
      const last = events.at(-1);
      if (last?.type === "finish" && !this.#isFinished) {
        this.#isFinished = true;
        this.#listener.onFinish?.(last.reason);
      }
      return sink(events);
    };
  }
}
