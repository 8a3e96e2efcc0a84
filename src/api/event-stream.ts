import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { limits } from "../config/limits.js";
import { atTurnEnd } from "../turn-end.js";
import { chunkOf } from "./chunk.js";

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
  /** Bytes that leave when the turn of the event loop ends. */
  #waiting = "";
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
    this.#timer = setTimeout(() => this.#send(this.#keepAlive), times.holdHeader);
  }

  /** True once the status line has left; from then on a failure is an event. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Sends bytes. A promise is to be waited for: until the client has taken enough to go on, has left or been cut off. */
  write(bytes: string): Promise<void> | undefined {
    if (this.#send(bytes) || this.#response.destroyed) return undefined;
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

  /** Sends the last bytes and ends the stream cleanly. */
  end(bytes: string): void {
    this.#open();
    this.stop();
    this.#waiting += bytes;
    const { socket, chunkedEncoding } = this.#response;
    if (!socket || !chunkedEncoding) {
      this.#response.end(this.#taken());
      return;
    }
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
   * Sends bytes at the end of this turn of the event loop, after all else that it brought: a reader that the first
   * write has woken is still awake for the next, and waking it is the dearest thing about a write. True if more may
   * follow at once. A response that still waits for an earlier one of its connection has no socket.
   */
  #send(bytes: string): boolean {
    this.#isQuiet = false;
    this.#open();
    const { socket, chunkedEncoding } = this.#response;
    if (!socket || !chunkedEncoding) return this.#response.write(bytes);
    if (this.#waiting === "") atTurnEnd(this.#flushNow);
    this.#waiting += bytes;
    if (this.#waiting.length < socket.writableHighWaterMark) return !socket.writableNeedDrain;
    return this.#flush(socket);
  }

  /**
   * What waits goes to the socket as one chunk of the body (RFC 9112 §7.1), in one piece: Node would hand it over in
   * four, a tick later. The head leaves with the first.
   */
  #flush(socket: Writable): boolean {
    const bytes = this.#taken();
    if (bytes === "") return true;
    const chunk = chunkOf(bytes);
    if (this.#headLeft) return socket.write(chunk);
    this.#headLeft = true;
    socket.cork();
    this.#response.flushHeaders();
    const more = socket.write(chunk);
    socket.uncork();
    return more;
  }

  #taken(): string {
    const bytes = this.#waiting;
    this.#waiting = "";
    return bytes;
  }

  /** Twice in the time that a stream may be silent. */
  #beat(): void {
    const wasQuiet = this.#isQuiet;
    this.#isQuiet = true;
    if (wasQuiet) this.#send(this.#keepAlive);
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
