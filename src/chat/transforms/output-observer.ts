import { type EventSink, isVisible } from "../../core/types.js";
import type { Transform } from "./transform.js";

/** Observes how far an answer has come. */
export class OutputObserver implements Transform {
  readonly #onFirstOutput: () => void;
  #hasOutput = false;
  #isFinished = false;

  constructor(onFirstOutput: () => void = () => {}) {
    this.#onFirstOutput = onFirstOutput;
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
        this.#onFirstOutput();
      }
      this.#isFinished ||= events.at(-1)?.type === "finish";
      return sink(events);
    };
  }
}
