import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, errors } from "undici";
import { limits } from "../../core/limits.js";
import { afterPoll } from "../../lib/after-poll.js";
import { type BodyReader, type BodySource, takeBody } from "./raw-connector.js";

/** A request whose answer is read as it arrives, and given up after so many milliseconds of silence. */
export type StreamRequest = Omit<Dispatcher.DispatchOptions, "bodyTimeout"> & {
  signal: AbortSignal;
  silence: number;
};

/** Who reads an answer. */
export type StreamReader = {
  /**
   * Hears what has arrived, all that one read of the socket brought at once. Where it returns a promise it hears
   * nothing more until that resolves, and the sender is told to wait. What it throws ends the reading.
   */
  hear(chunks: readonly Buffer[]): Promise<void> | undefined;
  /** True once it needs no more. */
  readonly isOver: boolean;
};

/** What whoever opens a stream knows about its host. */
export type StreamWays = {
  /** A failure of the transport in our words. */
  explain: (cause: unknown, signal: AbortSignal) => Error;
  /** Nobody else listens, so the body may come past undici. */
  straight: boolean;
};

/** How often the silence is looked at: cheaper than to ask the clock at each sound. The first look may come at once. */
const looks = 4;

/** Why a connection is cut whose answer nobody reads any more; nobody hears it either. */
const unread = new Error("The rest of the answer is not read.");

/**
 * The bytes of one answer as they arrive, straight from the socket or from undici's parser: with a stream of Node's and
 * an iterator in between, waking them would cost as much again as all that is done to a delta.
 */
export class AnswerStream implements Dispatcher.DispatchHandler, BodyReader {
  readonly #signal: AbortSignal;
  readonly #ways: StreamWays;
  readonly #silence: number;
  readonly #abort = () => this.#fail(this.#signal.reason);
  readonly #tellNow = () => this.#tell();
  #controller: Dispatcher.DispatchController | undefined;
  #source: BodySource | undefined;
  /** Looks since something came. */
  #silentLooks = 0;
  #watch: NodeJS.Timeout | undefined;
  #opening: { resolve(stream: AnswerStream): void; reject(error: Error): void } | undefined;
  #whenGone: (() => void) | undefined;
  #reading: { reader: StreamReader; resolve(): void; reject(error: unknown): void } | undefined;
  #chunks: Buffer[] | undefined;
  /** Bytes that nobody has heard yet; after `close`, those that came since. */
  #waiting = 0;
  /** The chunks will be told when this turn of the event loop has brought all that it brings. */
  #isDue = false;
  /** The reader has not done with what it heard last. */
  #isFull = false;
  #ended = false;
  #closed = false;
  #failure: { cause: unknown } | undefined;
  status = 0;
  headers: IncomingHttpHeaders = {};

  private constructor({ signal, silence }: StreamRequest, ways: StreamWays) {
    this.#signal = signal;
    this.#silence = silence;
    this.#ways = ways;
  }

  /** Sends the request; resolves when the status line is there. The caller must close the stream. */
  static open(dispatcher: Dispatcher, request: StreamRequest, ways: StreamWays): Promise<AnswerStream> {
    const { signal, silence: _, ...options } = request;
    return new Promise((resolve, reject) => {
      const stream = new AnswerStream(request, ways);
      stream.#opening = { resolve, reject };
      if (signal.aborted) {
        stream.#abort();
        return;
      }
      signal.addEventListener("abort", stream.#abort, { once: true });
      // Undici does not hear what comes past it.
      dispatcher.dispatch({ ...options, bodyTimeout: 0 }, stream);
    });
  }

  /** Resolves when the reader needs no more, or at the end. Throws what `explain` makes of a broken connection. */
  read(reader: StreamReader): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#reading = { reader, resolve, reject };
      this.#tell();
    });
  }

  /** Gives the connection back to the pool if the answer was read to its end, and cuts it otherwise. */
  close(complete: boolean): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#closed = true;
    this.#waiting = 0;
    // What ends the transfer may still be on its way, and has to be read before the connection can serve again.
    if (complete) this.#resume();
    else this.#fail(unread);
  }

  /** Resolves when the other side has ended it too; after so many milliseconds the connection is cut. */
  async gone(patience: number): Promise<void> {
    if (this.#ended || this.#failure) return;
    const late = setTimeout(() => this.#fail(unread), patience);
    await new Promise<void>((resolve) => {
      this.#whenGone = resolve;
    });
    clearTimeout(late);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure) controller.abort(unread);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // As undici keeps them they hold on to what the first read of the socket brought, for as long as the answer lasts.
    controller.rawHeaders = null;
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    const isPlain = status === 200 && headers["transfer-encoding"] === "chunked";
    if (isPlain && this.#ways.straight) this.#source = takeBody(this);
    this.#watch = setInterval(() => this.#lookForSilence(), this.#silence / looks);
    this.#opening?.resolve(this);
    this.#opening = undefined;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.take(chunk)) controller.pause();
  }

  take(chunk: Buffer): boolean {
    this.#silentLooks = 0;
    this.#waiting += chunk.length;
    if (this.#closed) {
      if (this.#waiting > limits.afterEnd) this.#controller?.abort(unread);
      return true;
    }
    if (this.#chunks) this.#chunks.push(chunk);
    else this.#chunks = [chunk];
    this.#tellSoon();
    return this.#waiting <= limits.unreadAnswer;
  }

  onResponseEnd(): void {
    this.#ended = true;
    clearInterval(this.#watch);
    this.#signal.removeEventListener("abort", this.#abort);
    this.#whenGone?.();
    this.#tellSoon();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(cause: unknown): void {
    if (this.#ended || this.#failure) return;
    this.#failure = { cause };
    clearInterval(this.#watch);
    this.#signal.removeEventListener("abort", this.#abort);
    this.#controller?.abort(unread);
    this.#opening?.reject(this.#ways.explain(cause, this.#signal));
    this.#opening = undefined;
    this.#whenGone?.();
    this.#tellSoon();
  }

  #resume(): void {
    this.#controller?.resume();
    this.#source?.resume();
  }

  /** One that waits for its reader is not to blame for its silence. */
  #lookForSilence(): void {
    if (this.#isFull) return;
    this.#silentLooks++;
    if (this.#silentLooks > looks) this.#fail(new errors.BodyTimeoutError());
  }

  #tellSoon(): void {
    if (this.#isDue || !this.#reading) return;
    this.#isDue = true;
    afterPoll(this.#tellNow);
  }

  #tell(): void {
    this.#isDue = false;
    if (!this.#reading || this.#isFull) return;
    const { reader } = this.#reading;
    // Who stopped it does not want what has arrived meanwhile, and who has the end needs nothing more.
    const isStopped = this.#failure !== undefined && this.#signal.aborted;
    const chunks = reader.isOver || isStopped ? undefined : this.#taken();
    try {
      const full = chunks && reader.hear(chunks);
      if (full) this.#waitFor(full);
      else if (reader.isOver) this.#finish();
      else if (this.#failure) this.#finish(this.#ways.explain(this.#failure.cause, this.#signal));
      else if (this.#ended) this.#finish();
      else this.#resume();
    } catch (error) {
      this.#finish(error);
    }
  }

  #waitFor(full: Promise<void>): void {
    this.#isFull = true;
    const goOn = () => {
      this.#isFull = false;
      this.#silentLooks = 0;
      this.#tell();
    };
    full.then(goOn, (error: unknown) => this.#finish(error));
  }

  #taken(): readonly Buffer[] | undefined {
    const chunks = this.#chunks;
    this.#chunks = undefined;
    this.#waiting = 0;
    return chunks;
  }

  #finish(error?: unknown): void {
    const reading = this.#reading;
    this.#reading = undefined;
    if (error === undefined) reading?.resolve();
    else reading?.reject(error);
  }
}
