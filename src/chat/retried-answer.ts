import { GatewayError, toGatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ChatEvent, EventSink } from "../core/types.js";

/** A request that reads the answer. `next`: the first event that it has not been given. */
type Reader = {
  sink: EventSink;
  next: number;
  /** Resolves when it has left. */
  left: Promise<void>;
  leave(): void;
  resolve(): void;
  reject(error: unknown): void;
};

/** One answer whose events are kept, so that a later request can read it from its beginning. */
export class RetriedAnswer {
  readonly #onEnd: () => void;
  readonly #controller = new AbortController();
  readonly #events: ChatEvent[] = [];
  #size = 0;
  #reader: Reader | undefined;
  #delivery: Promise<void> | undefined;
  #waiting: NodeJS.Timeout | undefined;
  #outcome: { failure?: unknown } | undefined;

  /** `onEnd` is called when no request can read it any more. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Whether all of its events are kept. */
  get isWhole(): boolean {
    return this.#size <= limits.retriedAnswer && !this.#controller.signal.aborted;
  }

  /** Begins the answer, which ends when `stop` is aborted. */
  start(answer: (sink: EventSink, stop: AbortSignal) => Promise<void>): void {
    answer((events) => this.#add(events), this.#controller.signal).then(
      () => this.#settle({}),
      (failure: unknown) => this.#settle({ failure }),
    );
  }

  /** Gives the answer to this request, from its beginning, and no longer to the one before. Settles as the answer does. */
  attach(sink: EventSink, signal: AbortSignal): Promise<void> {
    clearTimeout(this.#waiting);
    this.#reader?.reject(supersededError());
    this.#reader?.leave();
    return new Promise((resolve, reject) => {
      let leave = () => {};
      const left = new Promise<void>((onLeft) => {
        leave = onLeft;
      });
      const reader = { sink, next: 0, left, leave, resolve, reject };
      this.#reader = reader;
      const onAbort = () => this.#onLeft(reader, signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
      void this.#deliver();
    });
  }

  /** A client that has left may come again; a request that must end for another reason ends the answer. */
  #onLeft(reader: Reader, reason: unknown): void {
    reader.reject(reason);
    reader.leave();
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    const mayReturn = toGatewayError(reason).code === "cancelled" && this.isWhole;
    if (!mayReturn) this.#stop(reason);
    else this.#waiting = setTimeout(() => this.#stop(reason), limits.retryWait);
  }

  #stop(reason: unknown): void {
    this.#controller.abort(reason);
    this.#onEnd();
  }

  #add(events: readonly ChatEvent[]): Promise<void> | undefined {
    this.#events.push(...events);
    for (const event of events)
      this.#size += "text" in event && typeof event.text === "string" ? event.text.length : 1;
    // Without a reader nobody holds the answer up.
    if (!this.#reader && !this.isWhole) this.#stop(new GatewayError("cancelled", "The client left."));
    return this.#deliver();
  }

  /** Resolves when the request that reads the answer has been given all events. */
  #deliver(): Promise<void> {
    this.#delivery ??= this.#deliverAll().finally(() => {
      this.#delivery = undefined;
    });
    return this.#delivery;
  }

  async #deliverAll(): Promise<void> {
    for (;;) {
      const reader = this.#reader;
      if (!reader) return;
      if (reader.next < this.#events.length) {
        const events = this.#events.slice(reader.next);
        reader.next = this.#events.length;
        try {
          await Promise.race([reader.sink(events), reader.left]);
        } catch (error) {
          this.#onLeft(reader, error);
        }
        if (!this.isWhole) this.#forget(reader);
      } else if (!this.#outcome) return;
      else return this.#finish(reader, this.#outcome);
    }
  }

  /** What the reader has had, and no other request can read any more. */
  #forget(reader: Reader): void {
    this.#events.splice(0, reader.next);
    reader.next = 0;
  }

  #settle(outcome: { failure?: unknown }): void {
    this.#outcome = outcome;
    void this.#deliver();
  }

  #finish(reader: Reader, outcome: { failure?: unknown }): void {
    this.#reader = undefined;
    this.#onEnd();
    if ("failure" in outcome) reader.reject(outcome.failure);
    else reader.resolve();
  }
}

/** The error of a request whose answer goes to a later one. */
function supersededError(): GatewayError {
  return new GatewayError("cancelled", "The same request came again, and its answer goes there.");
}
