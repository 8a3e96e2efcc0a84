import type { ServerResponse } from "node:http";
import { limits } from "../../core/limits.js";

/** In milliseconds; tests shorten them. */
export type StreamTimeouts = {
  /** The status line is sent after this time at the latest. */
  holdHeader: number;
  /** Time without data after which a keep-alive is sent. */
  keepAlive: number;
  /** A client that reads nothing for this time is disconnected. */
  stuckClient: number;
};

export const defaultStreamTimeouts: StreamTimeouts = {
  holdHeader: limits.headerDelay,
  keepAlive: limits.sseKeepAlive,
  stuckClient: limits.clientStall,
};

/** How a stream looks on the wire. */
export type StreamFormat = {
  contentType: string;
  /** Called when the status line is sent. */
  headers(): Record<string, string>;
  /** What is sent in silence: something that clients read over, such as a comment of an event stream. */
  keepAlive(): string;
};

/**
 * A stream to one client: server-sent events, JSON lines or any other text. The status line is sent with the first write,
 * so that an earlier failure can have its own status; after `holdHeader` it is sent without content. While there is no
 * data, keep-alives are sent.
 */
export class StreamResponse {
  readonly #response: ServerResponse;
  readonly #format: StreamFormat;
  readonly #stuckClient: number;
  #isHeadWritten = false;
  /** Nothing has been sent since the last check. */
  #isIdle = false;
  readonly #keepAliveMs: number;
  /** Before the status line: the `holdHeader` timeout; after it: the keep-alive interval. */
  #timer: NodeJS.Timeout;

  constructor(response: ServerResponse, timeouts: StreamTimeouts, format: StreamFormat) {
    this.#response = response;
    this.#format = format;
    this.#stuckClient = timeouts.stuckClient;
    this.#keepAliveMs = timeouts.keepAlive;
    this.#timer = setTimeout(() => this.#send(format.keepAlive()), timeouts.holdHeader);
  }

  /** Whether the status line was written; from then on a failure is an event of the stream. */
  get isHeadWritten(): boolean {
    return this.#isHeadWritten;
  }

  /**
   * Sends a text that is not empty. If it returns a promise, wait for it before the next write (back-pressure): it
   * resolves when the client has read enough, has disconnected or was disconnected.
   */
  write(text: string): Promise<void> | undefined {
    if (this.#send(text) || this.#response.destroyed) return undefined;
    return new Promise<void>((resolve) => {
      const stuckTimer = setTimeout(() => this.#response.destroy(), this.#stuckClient);
      const settle = () => {
        clearTimeout(stuckTimer);
        this.#response.off("drain", settle);
        this.#response.off("close", settle);
        resolve();
      };
      this.#response.on("drain", settle);
      this.#response.on("close", settle);
    });
  }

  /** Sends the last text, which may be empty, and ends the stream cleanly. */
  end(text: string): void {
    this.#writeHead();
    this.stopTimer();
    this.#response.end(text);
  }

  /** Stops the timer without ending the response, so that another one can be sent. */
  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** False on back-pressure. */
  #send(text: string): boolean {
    this.#isIdle = false;
    this.#writeHead();
    return this.#response.write(text);
  }

  /** Called twice in each `keepAlive` period. */
  #checkIdle(): void {
    const wasIdle = this.#isIdle;
    this.#isIdle = true;
    if (wasIdle) this.#send(this.#format.keepAlive());
  }

  #writeHead(): void {
    if (this.#isHeadWritten) return;
    this.#isHeadWritten = true;
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#checkIdle(), this.#keepAliveMs / 2);
    this.#response.writeHead(200, {
      ...this.#format.headers(),
      "content-type": this.#format.contentType,
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
  }
}
