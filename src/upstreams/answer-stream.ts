import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { limits } from "../config/limits.js";

/** A request whose answer is read as it arrives. */
export type StreamRequest = Dispatcher.DispatchOptions & { signal: AbortSignal };

/** A failure of the transport in our words. */
type Explain = (cause: unknown, signal: AbortSignal) => Error;

/** Why a connection is cut whose answer nobody reads any more; nobody hears it either. */
const unread = new Error("The rest of the answer is not read.");

/**
 * The bytes of one answer as they arrive, straight from undici's parser: a stream of Node's in between would cost as
 * much again as all that is done to a delta. A reader that is slow stops the sender, and nobody else.
 */
export class AnswerStream implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal;
  readonly #explain: Explain;
  readonly #abort = () => this.#fail(this.#signal.reason);
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Buffer[] = [];
  /** Bytes that nobody has taken yet; after `close`, those that came since. */
  #waiting = 0;
  #ended = false;
  #closed = false;
  #failure: { cause: unknown } | undefined;
  #opening: { resolve(stream: AnswerStream): void; reject(error: Error): void } | undefined;
  #reader: { resolve(isMore: boolean): void; reject(error: Error): void } | undefined;
  status = 0;
  headers: IncomingHttpHeaders = {};

  private constructor(signal: AbortSignal, explain: Explain) {
    this.#signal = signal;
    this.#explain = explain;
  }

  /** Sends the request; resolves when the status line is there. The caller must close the stream. */
  static open(dispatcher: Dispatcher, request: StreamRequest, explain: Explain): Promise<AnswerStream> {
    const { signal, ...options } = request;
    return new Promise((resolve, reject) => {
      const stream = new AnswerStream(signal, explain);
      stream.#opening = { resolve, reject };
      if (signal.aborted) {
        stream.#abort();
        return;
      }
      signal.addEventListener("abort", stream.#abort, { once: true });
      dispatcher.dispatch(options, stream);
    });
  }

  /** Waits for more of the answer; false at its end. Throws what `explain` makes of a broken connection. */
  more(): boolean | Promise<boolean> {
    if (this.#failure && (this.#chunks.length === 0 || this.#signal.aborted)) throw this.#explained();
    if (this.#chunks.length > 0) return true;
    if (this.#ended) return false;
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** What has arrived since the last time. */
  take(): readonly Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#waiting = 0;
    this.#controller?.resume();
    return chunks;
  }

  /** All that is still to come, for an answer that is no stream after all. */
  async *chunks(): AsyncGenerator<Buffer> {
    while (await this.more()) yield* this.take();
  }

  /** Gives the connection back to the pool if the answer was read to its end, and cuts it otherwise. */
  close(complete: boolean): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#closed = true;
    if (this.#ended || this.#failure) return;
    // What ends the transfer may still be on its way, and has to be read before the connection can serve again.
    if (complete) this.take();
    else this.#controller?.abort(unread);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure) controller.abort(unread);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.#opening?.resolve(this);
    this.#opening = undefined;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#waiting += chunk.length;
    if (this.#closed) {
      if (this.#waiting > limits.afterEnd) controller.abort(unread);
      return;
    }
    this.#chunks.push(chunk);
    if (this.#waiting > limits.unreadAnswer) controller.pause();
    // The reader goes on when all that this read of the socket brought is here.
    this.#reader?.resolve(true);
    this.#reader = undefined;
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#signal.removeEventListener("abort", this.#abort);
    this.#reader?.resolve(this.#chunks.length > 0);
    this.#reader = undefined;
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(cause: unknown): void {
    if (this.#ended || this.#failure) return;
    this.#failure = { cause };
    this.#signal.removeEventListener("abort", this.#abort);
    this.#opening?.reject(this.#explained());
    this.#reader?.reject(this.#explained());
    this.#opening = undefined;
    this.#reader = undefined;
    this.#controller?.abort(unread);
  }

  #explained(): Error {
    return this.#explain(this.#failure?.cause, this.#signal);
  }
}
