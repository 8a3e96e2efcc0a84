import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, errors } from "undici";
import { limits } from "../../core/limits.js";
import { afterPoll } from "../../lib/after-poll.js";
import { type RawBodyReader, type RawBodySource, takeRawBody } from "./raw-connector.js";

/** A request for a streamed response. `idleTimeout`: milliseconds without a byte after which it fails. */
export type StreamRequest = Omit<Dispatcher.DispatchOptions, "bodyTimeout"> & {
  signal: AbortSignal;
  idleTimeout: number;
};

/** The consumer of a response body. */
export type ChunkSink = {
  /**
   * Takes all chunks of one socket read. If it returns a promise, it is not called again until that resolves
   * (back-pressure up to the sender). What it throws ends `pipeTo`.
   */
  onChunks(chunks: readonly Buffer[]): Promise<void> | undefined;
  /** True once it needs no more chunks. */
  readonly isDone: boolean;
};

/** Host-specific settings of a stream. */
export type StreamOptions = {
  /** Converts a transport failure to the error that `open` and `pipeTo` throw. */
  toTransportError: (cause: unknown, signal: AbortSignal) => Error;
  /** The body may bypass undici (`takeRawBody`). False if an interceptor, such as a recorder, needs its bytes. */
  raw: boolean;
};

/**
 * Idle checks per idle timeout: cheaper than reading the clock for each chunk. The first may come right after a chunk.
 */
const checksPerTimeout = 4;

/** The reason for closing a connection whose response is no longer read. Never thrown to a caller. */
const abandonedError = new Error("The rest of the answer is not read.");

/**
 * The body of one response, pushed to a `ChunkSink`, from the raw socket or from undici's parser. No Node stream and no
 * async iterator: waking them would double the cost of a delta.
 */
export class ResponseStream implements Dispatcher.DispatchHandler, RawBodyReader {
  readonly #signal: AbortSignal;
  readonly #options: StreamOptions;
  readonly #idleTimeout: number;
  readonly #abort = () => this.#fail(this.#signal.reason);
  readonly #deliverQueued = () => this.#deliver();
  #controller: Dispatcher.DispatchController | undefined;
  #rawSource: RawBodySource | undefined;
  /** Idle checks since the last chunk. */
  #idleChecks = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #pendingOpen: { resolve(stream: ResponseStream): void; reject(error: Error): void } | undefined;
  #onEnd: (() => void) | undefined;
  #pipe: { sink: ChunkSink; resolve(): void; reject(error: unknown): void } | undefined;
  #chunks: Buffer[] | undefined;
  /** Bytes not delivered yet; after `close`, the bytes received since. */
  #queuedBytes = 0;
  /** The chunks are delivered after the poll phase of this event loop iteration, when all sockets have been read. */
  #isDeliveryScheduled = false;
  /** The promise of the sink's last `onChunks` is pending. */
  #isSinkBusy = false;
  #hasEnded = false;
  #isClosed = false;
  #failure: { cause: unknown } | undefined;
  status = 0;
  headers: IncomingHttpHeaders = {};

  private constructor({ signal, idleTimeout }: StreamRequest, options: StreamOptions) {
    this.#signal = signal;
    this.#idleTimeout = idleTimeout;
    this.#options = options;
  }

  /** Sends the request. Resolves once the response head has arrived. The caller must close the stream. */
  static open(
    dispatcher: Dispatcher,
    request: StreamRequest,
    streamOptions: StreamOptions,
  ): Promise<ResponseStream> {
    const { signal, idleTimeout: _, ...options } = request;
    return new Promise((resolve, reject) => {
      const stream = new ResponseStream(request, streamOptions);
      stream.#pendingOpen = { resolve, reject };
      if (signal.aborted) {
        stream.#abort();
        return;
      }
      signal.addEventListener("abort", stream.#abort, { once: true });
      // Undici's own timeout does not see bytes that bypass it.
      dispatcher.dispatch({ ...options, bodyTimeout: 0 }, stream);
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
    if (isComplete) this.#resume();
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

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // Undici's raw headers keep the buffer of the first socket read alive for as long as the response lasts.
    controller.rawHeaders = null;
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    const isChunked = status === 200 && headers["transfer-encoding"] === "chunked";
    if (isChunked && this.#options.raw) this.#rawSource = takeRawBody(this);
    this.#idleTimer = setInterval(() => this.#checkIdle(), this.#idleTimeout / checksPerTimeout);
    this.#pendingOpen?.resolve(this);
    this.#pendingOpen = undefined;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.push(chunk)) controller.pause();
  }

  push(chunk: Buffer): boolean {
    this.#idleChecks = 0;
    this.#queuedBytes += chunk.length;
    if (this.#isClosed) {
      if (this.#queuedBytes > limits.bytesAfterEnd) this.#controller?.abort(abandonedError);
      return true;
    }
    if (this.#chunks) this.#chunks.push(chunk);
    else this.#chunks = [chunk];
    this.#scheduleDelivery();
    return this.#queuedBytes <= limits.upstreamReadBuffer;
  }

  onResponseEnd(): void {
    this.#hasEnded = true;
    clearInterval(this.#idleTimer);
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
    clearInterval(this.#idleTimer);
    this.#signal.removeEventListener("abort", this.#abort);
    this.#controller?.abort(abandonedError);
    this.#pendingOpen?.reject(this.#options.toTransportError(cause, this.#signal));
    this.#pendingOpen = undefined;
    this.#onEnd?.();
    this.#scheduleDelivery();
  }

  #resume(): void {
    this.#controller?.resume();
    this.#rawSource?.resume();
  }

  /** Fails the stream after the idle timeout. Time during which the sink applies back-pressure does not count. */
  #checkIdle(): void {
    if (this.#isSinkBusy) return;
    this.#idleChecks++;
    if (this.#idleChecks > checksPerTimeout) this.#fail(new errors.BodyTimeoutError());
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
    const chunks = sink.isDone || isStopped ? undefined : this.#takeChunks();
    try {
      const drained = chunks && sink.onChunks(chunks);
      if (drained) this.#waitForSink(drained);
      else if (sink.isDone) this.#settle();
      else if (this.#failure) this.#settle(this.#options.toTransportError(this.#failure.cause, this.#signal));
      else if (this.#hasEnded) this.#settle();
      else this.#resume();
    } catch (error) {
      this.#settle(error);
    }
  }

  #waitForSink(drained: Promise<void>): void {
    this.#isSinkBusy = true;
    const deliverNext = () => {
      this.#isSinkBusy = false;
      this.#idleChecks = 0;
      this.#deliver();
    };
    drained.then(deliverNext, (error: unknown) => this.#settle(error));
  }

  #takeChunks(): readonly Buffer[] | undefined {
    const chunks = this.#chunks;
    this.#chunks = undefined;
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
