import { GatewayError } from "../../core/errors.js";
import type { ChatEvent, EventSink } from "../../core/types.js";
import type { ChunkSink } from "./response-stream.js";

/**
 * First step: bytes to items (Connect envelopes or SSE data), however the bytes are split. Does not parse JSON. If
 * `pending` is a promise, `next` has more once that has resolved.
 */
type Decoder<Item> = {
  push(chunk: Buffer): void;
  next(): Item | undefined;
  readonly pending?: Promise<void> | undefined;
};

/** Second step: items to ChatEvents. Parses JSON, does no I/O. */
type Interpreter<Item> = {
  /** True once the answer has ended properly. */
  readonly isComplete: boolean;
  /** Appends the events of an item to `out`. False for a mere heartbeat. Throws the GatewayError of a failed answer. */
  interpret(item: Item, out: ChatEvent[]): boolean | undefined;
};

/** Milliseconds that an answer may go without progress, and the service's name in the error message. */
type ProgressTimeout = { service: string; progress: number };

/**
 * The pipeline of one answer: bytes → items → ChatEvents → sink. All events of one socket read go to the sink as one
 * batch.
 */
export class StreamPump<Item> implements ChunkSink {
  readonly #decoder: Decoder<Item>;
  readonly #interpreter: Interpreter<Item>;
  readonly #sink: EventSink;
  readonly #progressTimeout: ProgressTimeout;
  /** When the first chunk without progress arrived; undefined if the last chunk had progress. */
  #noProgressSince: number | undefined;

  constructor(
    decoder: Decoder<Item>,
    interpreter: Interpreter<Item>,
    { sink, ...progressTimeout }: ProgressTimeout & { sink: EventSink },
  ) {
    this.#decoder = decoder;
    this.#interpreter = interpreter;
    this.#sink = sink;
    this.#progressTimeout = progressTimeout;
  }

  get isDone(): boolean {
    return this.#interpreter.isComplete;
  }

  /** Emits the events that precede a failure before it throws the failure's GatewayError. */
  onChunks(chunks: readonly Buffer[]): Promise<void> | undefined {
    const emitted = this.#emit((events) => this.#interpretChunks(chunks, events));
    return this.#decoder.pending ? this.#emitPending(emitted) : emitted;
  }

  /** Waits for items that take their time, and emits their events and those of the items behind them. */
  async #emitPending(emitted: Promise<void> | undefined): Promise<void> {
    await emitted;
    for (let pending = this.#decoder.pending; pending; pending = this.#decoder.pending) {
      await pending;
      await this.#emit((events) => this.#interpretChunks([], events));
    }
  }

  #emit(interpret: (events: ChatEvent[]) => void): Promise<void> | undefined {
    const events: ChatEvent[] = [];
    try {
      interpret(events);
    } catch (failure) {
      return this.#emitThenThrow(events, failure);
    }
    return events.length > 0 ? this.#sink(events) : undefined;
  }

  #interpretChunks(chunks: readonly Buffer[], events: ChatEvent[]): void {
    let hasProgressed = interpretBuffered(this.#decoder, this.#interpreter, events);
    for (const chunk of chunks) {
      this.#decoder.push(chunk);
      hasProgressed = interpretBuffered(this.#decoder, this.#interpreter, events) || hasProgressed;
    }
    if (hasProgressed) {
      this.#noProgressSince = undefined;
      return;
    }
    this.#noProgressSince ??= Date.now();
    if (Date.now() - this.#noProgressSince > this.#progressTimeout.progress) {
      const { service } = this.#progressTimeout;
      throw new GatewayError("timeout", `${service} kept the line open but stopped answering. Try again.`);
    }
  }

  #emitThenThrow(events: readonly ChatEvent[], failure: unknown): Promise<void> {
    const drained = events.length > 0 ? this.#sink(events) : undefined;
    if (!drained) throw failure;
    return drained.then(() => {
      throw failure;
    });
  }
}

/** Interprets all complete items. True if one of them was more than a heartbeat. */
export function interpretBuffered<Item>(
  decoder: Decoder<Item>,
  interpreter: Interpreter<Item>,
  events: ChatEvent[],
): boolean {
  let hasProgressed = false;
  while (!interpreter.isComplete) {
    const item = decoder.next();
    if (item === undefined) break;
    hasProgressed = interpreter.interpret(item, events) !== false || hasProgressed;
  }
  return hasProgressed;
}
