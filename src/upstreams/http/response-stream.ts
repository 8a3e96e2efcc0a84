import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { limits } from "../../core/limits.js";
import { afterPoll } from "../../lib/after-poll.js";

/** A request for a streamed response. `idleTimeout`: milliseconds without a byte of the body after which it fails. */
export type StreamRequest = Omit<Dispatcher.DispatchOptions, "bodyTimeout"> & {
  signal: AbortSignal;
  idleTimeout: number;
};

/** The consumer of a response body. */
export type ChunkSink = {
  /**
   * Takes all chunks of one event loop iteration. If it returns a promise, it is not called again until that resolves
   * (back-pressure up to the sender). What it throws ends `pipeTo`.
   */
  onChunks(chunks: readonly Buffer[]): Promise<void> | undefined;
  /** True once it needs no more chunks. */
  readonly isDone: boolean;
};

/** Converts a transport failure to the error that `open` and `pipeTo` throw. */
export type ToTransportError = (cause: unknown, signal: AbortSignal) => Error;

/** The reason for closing a connection whose response is no longer read. Never thrown to a caller. */
const abandonedError = new Error("The rest of the answer is not read.");

/** A body that cannot be paused has become longer than may be kept for a sink that does not take it. */
const unreadError = Object.assign(new Error("Too much of the answer was not taken."), {
  code: "unread_body",
});

/**
 * The body of one response, pushed to a `ChunkSink`: a handler of undici's `dispatch`. The chunks of all streams are
 * delivered together after the poll phase of an event loop iteration (`afterPoll`).
 */
export class ResponseStream implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal;
  readonly #toTransportError: ToTransportError;
  readonly #abort = () => this.#fail(this.#signal.reason);
  readonly #deliverQueued = () => this.#deliver();
  #controller: Dispatcher.DispatchController | undefined;
  #pendingOpen: { resolve(stream: ResponseStream): void; reject(error: Error): void } | undefined;
  #onEnd: (() => void) | undefined;
  #pipe: { sink: ChunkSink; resolve(): void; reject(error: unknown): void } | undefined;
  #chunks: Buffer[] = [];
  /** Bytes not delivered yet; after `close`, the bytes received since. */
  #queuedBytes = 0;
  #canPause = false;
  #isDeliveryScheduled = false;
  /** The promise of the sink's last `onChunks` is pending. */
  #isSinkBusy = false;
  #hasEnded = false;
  #isClosed = false;
  #failure: { cause: unknown } | undefined;
  status = 0;
  headers: IncomingHttpHeaders = {};

  private constructor(signal: AbortSignal, toTransportError: ToTransportError) {
    this.#signal = signal;
    this.#toTransportError = toTransportError;
  }

  /** Sends the request. Resolves once the response head has arrived. The caller must close the stream. */
  static open(
    dispatcher: Dispatcher,
    { signal, idleTimeout, ...options }: StreamRequest,
    toTransportError: ToTransportError,
  ): Promise<ResponseStream> {
    return new Promise((resolve, reject) => {
      const stream = new ResponseStream(signal, toTransportError);
      stream.#pendingOpen = { resolve, reject };
      if (signal.aborted) {
        stream.#abort();
        return;
      }
      signal.addEventListener("abort", stream.#abort, { once: true });
      dispatcher.dispatch({ ...options, bodyTimeout: idleTimeout }, stream);
    });
  }

  /**
   * Resolves once the sink is done, or at the end. Rejects with `toTransportError`'s error if the connection breaks.
   */
  pipeTo(sink: ChunkSink): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pipe = { sink, resolve, reject };
      this.#deliver();
    });
  }

  /** Returns the connection to the pool if the answer was read to its end; otherwise closes it. */
  close(isComplete: boolean): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#isClosed = true;
    this.#queuedBytes = 0;
    // The end of the transfer may still be on its way. It must be read before the connection can be reused.
    if (isComplete) this.#controller?.resume();
    else this.#fail(abandonedError);
  }

  /** Resolves once the service has ended the response. Closes the connection after `gracePeriod` milliseconds. */
  async waitForEnd(gracePeriod: number): Promise<void> {
    if (this.#hasEnded || this.#failure) return;
    const timer = setTimeout(() => this.#fail(abandonedError), gracePeriod);
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
    });
    clearTimeout(timer);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure) controller.abort(abandonedError);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.#canPause = isPausable(headers);
    this.#pendingOpen?.resolve(this);
    this.#pendingOpen = undefined;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#queuedBytes += chunk.length;
    if (this.#isClosed) {
      if (this.#queuedBytes > limits.bytesAfterEnd) controller.abort(abandonedError);
      return;
    }
    this.#chunks.push(chunk);
    if (this.#canPause && this.#queuedBytes > limits.upstreamReadBuffer) controller.pause();
    else if (this.#queuedBytes > limits.upstreamUnpausableBuffer) this.#fail(unreadError);
    this.#scheduleDelivery();
  }

  onResponseEnd(): void {
    this.#hasEnded = true;
    this.#signal.removeEventListener("abort", this.#abort);
    this.#onEnd?.();
    this.#scheduleDelivery();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(cause: unknown): void {
    if (this.#hasEnded || this.#failure) return;
    this.#failure = { cause };
    this.#signal.removeEventListener("abort", this.#abort);
    this.#controller?.abort(abandonedError);
    this.#pendingOpen?.reject(this.#toTransportError(cause, this.#signal));
    this.#pendingOpen = undefined;
    this.#onEnd?.();
    this.#scheduleDelivery();
  }

  #scheduleDelivery(): void {
    if (this.#isDeliveryScheduled || !this.#pipe) return;
    this.#isDeliveryScheduled = true;
    afterPoll(this.#deliverQueued);
  }

  #deliver(): void {
    this.#isDeliveryScheduled = false;
    if (!this.#pipe || this.#isSinkBusy) return;
    const { sink } = this.#pipe;
    // After an abort the remaining chunks are not wanted; a sink that is done needs none.
    const isStopped = this.#failure !== undefined && this.#signal.aborted;
    const chunks = sink.isDone || isStopped ? [] : this.#takeChunks();
    try {
      const drained = chunks.length > 0 ? sink.onChunks(chunks) : undefined;
      if (drained) this.#waitForSink(drained);
      else if (sink.isDone) this.#settle();
      else if (this.#failure) this.#settle(this.#toTransportError(this.#failure.cause, this.#signal));
      else if (this.#hasEnded) this.#settle();
      else this.#controller?.resume();
    } catch (error) {
      this.#settle(error);
    }
  }

  #waitForSink(drained: Promise<void>): void {
    this.#isSinkBusy = true;
    const deliverNext = () => {
      this.#isSinkBusy = false;
      this.#deliver();
    };
    drained.then(deliverNext, (error: unknown) => this.#settle(error));
  }

  #takeChunks(): readonly Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#queuedBytes = 0;
    return chunks;
  }

  #settle(error?: unknown): void {
    const pipe = this.#pipe;
    this.#pipe = undefined;
    if (error === undefined) pipe?.resolve();
    else pipe?.reject(error);
  }
}

/**
 * Whether the connection stays open after the response. Undici 7 fails an assertion, which ends the process, if a
 * connection without keep-alive is closed while its body is paused.
 */
function isPausable(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] === "chunked" && !/\bclose\b/i.test(headers.connection ?? "");
}
