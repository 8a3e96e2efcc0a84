import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { limits } from "../../core/limits.js";
import { afterPoll } from "../../lib/after-poll.js";
import { chunkContents, encodeChunks } from "./chunk-writer.js";

/** In milliseconds; tests shorten them. */
export type SseTimeouts = {
  /** The status line is sent after this time at the latest. */
  holdHeader: number;
  /** Time without data after which a keep-alive comment is sent. */
  keepAlive: number;
  /** A client that reads nothing for this time is disconnected. */
  stuckClient: number;
};

export const defaultSseTimeouts: SseTimeouts = {
  holdHeader: limits.headerDelay,
  keepAlive: limits.sseKeepAlive,
  stuckClient: limits.clientStall,
};

const noChunks: readonly Buffer[] = [];

/**
 * A server-sent event stream to one client. The status line is sent with the first write, so that an earlier failure
 * can have its own status; after `holdHeader` it is sent without content. While there is no data, keep-alive comments are
 * sent.
 */
export class SseResponse {
  readonly #response: ServerResponse;
  readonly #headers: () => Record<string, string>;
  readonly #keepAliveComment: string;
  readonly #stuckClient: number;
  #isHeadWritten = false;
  #isHeadFlushed = false;
  /** Chunks to be sent after the poll phase of this event loop iteration. */
  #pendingChunks = noChunks;
  readonly #flushPending = () => {
    if (this.#response.socket) this.#flush(this.#response.socket);
  };
  /** Nothing has been sent since the last check. */
  #isIdle = false;
  readonly #keepAliveMs: number;
  /** Before the status line: the `holdHeader` timeout; after it: the keep-alive interval. */
  #timer: NodeJS.Timeout;

  /** `headers` is called when the status line is sent. */
  constructor(
    response: ServerResponse,
    timeouts: SseTimeouts,
    { headers, keepAliveComment }: { headers: () => Record<string, string>; keepAliveComment: string },
  ) {
    this.#response = response;
    this.#headers = headers;
    this.#keepAliveComment = keepAliveComment;
    this.#stuckClient = timeouts.stuckClient;
    this.#keepAliveMs = timeouts.keepAlive;
    this.#timer = setTimeout(() => this.#sendKeepAlive(), timeouts.holdHeader);
  }

  /** Whether the status line was written; from then on a failure is an event of the stream. */
  get isHeadWritten(): boolean {
    return this.#isHeadWritten;
  }

  /**
   * Sends at least one chunk. If it returns a promise, wait for it before the next write (back-pressure): it resolves
   * when the client has read enough, has disconnected or was disconnected.
   */
  write(chunks: readonly Buffer[]): Promise<void> | undefined {
    if (this.#send(chunks) || this.#response.destroyed) return undefined;
    const writable = this.#response.socket ?? this.#response;
    return new Promise<void>((resolve) => {
      const stuckTimer = setTimeout(() => this.#response.destroy(), this.#stuckClient);
      const settle = () => {
        clearTimeout(stuckTimer);
        writable.off("drain", settle);
        this.#response.off("close", settle);
        resolve();
      };
      writable.on("drain", settle);
      this.#response.on("close", settle);
    });
  }

  /** Sends the last chunks and ends the stream cleanly. */
  end(chunks: readonly Buffer[]): void {
    this.#writeHead();
    this.stopTimer();
    const { socket, chunkedEncoding } = this.#response;
    if (!socket || !chunkedEncoding) {
      this.#response.end(chunkContents(chunks));
      return;
    }
    this.#queueChunks(chunks);
    socket.cork();
    this.#flush(socket);
    this.#response.end();
    socket.uncork();
  }

  /** Stops the timer without ending the response, so that another one can be sent. */
  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Queues chunks until the poll phase of this event loop iteration is over, so that the writes of all streams follow
   * each other: waking the reading process is the most expensive part of a write, and one that was woken by the first
   * write still runs at the next. Returns false on back-pressure. A pipelined response has no socket while an earlier
   * response of its connection is running.
   */
  #send(chunks: readonly Buffer[]): boolean {
    this.#isIdle = false;
    this.#writeHead();
    const { socket, chunkedEncoding } = this.#response;
    if (!socket || !chunkedEncoding) return this.#response.write(chunkContents(chunks));
    if (this.#pendingChunks.length === 0) afterPoll(this.#flushPending);
    this.#queueChunks(chunks);
    const size = this.#pendingChunks.reduce((sum, { length }) => sum + length, 0);
    if (size < socket.writableHighWaterMark) return !socket.writableNeedDrain;
    return this.#flush(socket);
  }

  #queueChunks(chunks: readonly Buffer[]): void {
    this.#pendingChunks = this.#pendingChunks.length === 0 ? chunks : [...this.#pendingChunks, ...chunks];
  }

  /**
   * Writes each pending chunk to the socket as one buffer; Node's response would write it as four, a tick later. The
   * head is sent with the first chunk.
   */
  #flush(socket: Writable): boolean {
    const chunks = this.#pendingChunks;
    this.#pendingChunks = noChunks;
    if (this.#isHeadFlushed && chunks.length === 1) return socket.write(chunks[0]);
    socket.cork();
    if (!this.#isHeadFlushed) this.#response.flushHeaders();
    this.#isHeadFlushed = true;
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
    return !socket.writableNeedDrain;
  }

  /** Called twice in each `keepAlive` period. */
  #checkIdle(): void {
    const wasIdle = this.#isIdle;
    this.#isIdle = true;
    if (wasIdle) this.#sendKeepAlive();
  }

  #sendKeepAlive(): void {
    this.#send(encodeChunks((writer) => writer.write(this.#keepAliveComment)));
  }

  #writeHead(): void {
    if (this.#isHeadWritten) return;
    this.#isHeadWritten = true;
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#checkIdle(), this.#keepAliveMs / 2);
    this.#response.writeHead(200, {
      ...this.#headers(),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
  }
}
