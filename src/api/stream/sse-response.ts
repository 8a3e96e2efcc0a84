import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { limits } from "../../core/limits.js";
import { afterPoll } from "../../lib/after-poll.js";
import { chunksOf, contentOf } from "./chunked-body.js";

/** How long things wait on a stream; tests shorten them. Milliseconds. */
export type StreamTimes = {
  holdHeader: number;
  keepAlive: number;
  /** A client that takes nothing for so long is cut off. */
  stuckClient: number;
};

export const defaultStreamTimes: StreamTimes = {
  holdHeader: limits.holdHeader,
  keepAlive: limits.keepAlive,
  stuckClient: limits.stuckClient,
};

const none: readonly Buffer[] = [];

/**
 * A server-sent event stream to one client. The status line waits for the first write, so that a failure before it
 * can still have its own status; after `holdHeader` it leaves early. Silence is filled with keep-alive comments.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #headers: () => Record<string, string>;
  readonly #keepAlive: string;
  readonly #stuckClient: number;
  #opened = false;
  #headLeft = false;
  /** Chunks that leave when the turn of the event loop ends. */
  #waiting = none;
  readonly #flushNow = () => {
    if (this.#response.socket) this.#flush(this.#response.socket);
  };
  /** Nothing has been sent since the last beat. */
  #isQuiet = false;
  readonly #keepAliveEvery: number;
  /** Until the status line has left it holds that, then it is the keep-alive's. */
  #timer: NodeJS.Timeout;

  /** `headers` is asked when the status line leaves, which is when everything about the answer is known. */
  constructor(
    response: ServerResponse,
    times: StreamTimes,
    { headers, keepAlive }: { headers: () => Record<string, string>; keepAlive: string },
  ) {
    this.#response = response;
    this.#headers = headers;
    this.#keepAlive = keepAlive;
    this.#stuckClient = times.stuckClient;
    this.#keepAliveEvery = times.keepAlive;
    this.#timer = setTimeout(() => this.#sendKeepAlive(), times.holdHeader);
  }

  /** True once the status line has left; from then on a failure is an event. */
  get opened(): boolean {
    return this.#opened;
  }

  /**
   * Sends chunks of the body, of which there is one at least. A promise is to be waited for: until the client has taken
   * enough to go on, has left or been cut off.
   */
  write(chunks: readonly Buffer[]): Promise<void> | undefined {
    if (this.#send(chunks) || this.#response.destroyed) return undefined;
    const writable = this.#response.socket ?? this.#response;
    return new Promise<void>((resolve) => {
      const cut = setTimeout(() => this.#response.destroy(), this.#stuckClient);
      const done = () => {
        clearTimeout(cut);
        writable.off("drain", done);
        this.#response.off("close", done);
        resolve();
      };
      writable.on("drain", done);
      this.#response.on("close", done);
    });
  }

  /** Sends the last chunks and ends the stream cleanly. */
  end(chunks: readonly Buffer[]): void {
    this.#open();
    this.stop();
    const { socket, chunkedEncoding } = this.#response;
    if (!socket || !chunkedEncoding) {
      this.#response.end(contentOf(chunks));
      return;
    }
    this.#add(chunks);
    socket.cork();
    this.#flush(socket);
    this.#response.end();
    socket.uncork();
  }

  /** Stops the timer without ending the response; someone else answers then. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Sends chunks at the end of this turn of the event loop, after all else that it brought: a reader that the first
   * write has woken is still awake for the next, and waking it is the dearest thing about a write. True if more may
   * follow at once. A response that still waits for an earlier one of its connection has no socket.
   */
  #send(chunks: readonly Buffer[]): boolean {
    this.#isQuiet = false;
    this.#open();
    const { socket, chunkedEncoding } = this.#response;
    if (!socket || !chunkedEncoding) return this.#response.write(contentOf(chunks));
    if (this.#waiting.length === 0) afterPoll(this.#flushNow);
    this.#add(chunks);
    const size = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    if (size < socket.writableHighWaterMark) return !socket.writableNeedDrain;
    return this.#flush(socket);
  }

  #add(chunks: readonly Buffer[]): void {
    this.#waiting = this.#waiting.length === 0 ? chunks : [...this.#waiting, ...chunks];
  }

  /**
   * What waits goes to the socket in one piece a chunk: Node would hand each over in four, a tick later. The head
   * leaves with the first.
   */
  #flush(socket: Writable): boolean {
    const chunks = this.#waiting;
    this.#waiting = none;
    if (this.#headLeft && chunks.length === 1) return socket.write(chunks[0]);
    socket.cork();
    if (!this.#headLeft) this.#response.flushHeaders();
    this.#headLeft = true;
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
    return !socket.writableNeedDrain;
  }

  /** Twice in the time that a stream may be silent. */
  #beat(): void {
    const wasQuiet = this.#isQuiet;
    this.#isQuiet = true;
    if (wasQuiet) this.#sendKeepAlive();
  }

  #sendKeepAlive(): void {
    this.#send(chunksOf((body) => body.add(this.#keepAlive)));
  }

  #open(): void {
    if (this.#opened) return;
    this.#opened = true;
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#beat(), this.#keepAliveEvery / 2);
    this.#response.writeHead(200, {
      ...this.#headers(),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
  }
}
