import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallLogEntry } from "./call-log.js";
import { ApiError, type ErrorFields, errorJson, httpStatusOf } from "./errors.js";
import type { JsonObject } from "./json.js";

/** One HTTP request with its response and its log entry. */
export class HttpCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly logEntry: CallLogEntry;
  /** Resolves when the response is sent or the connection is closed. */
  readonly closed: Promise<void>;
  readonly #abortController = new AbortController();
  readonly #cancelController = new AbortController();
  #isCutBySimulator = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    const { pathname } = new URL(request.url ?? "/", "http://simulator");
    const method = request.method ?? "GET";
    this.logEntry = {
      method,
      path: pathname,
      receivedAt: performance.now(),
      headers: request.headers,
      body: undefined,
    };
    this.closed = new Promise((resolve) => {
      response.once("close", () => {
        this.#onClose();
        resolve();
      });
    });
    // A disconnected client is handled by "close"; errors of writing to it are ignored.
    response.on("error", () => {});
  }

  /** Aborted when the client disconnects, the answer is cancelled or the simulator closes. */
  get stopSignal(): AbortSignal {
    return this.#abortController.signal;
  }

  /** Aborted like `stopSignal`, but not when the client disconnects. */
  get cancelSignal(): AbortSignal {
    return this.#cancelController.signal;
  }

  /** The header `x-language`, which selects the language of error messages; default `en-US`. */
  get language(): string {
    return String(this.request.headers["x-language"] ?? "en-US");
  }

  get bearerToken(): string | undefined {
    return /^Bearer (\S+)$/i.exec(this.request.headers.authorization ?? "")?.[1];
  }

  /** Aborts both signals with this reason: `cancelled` by CancelChat, or `closing` by the simulator. */
  stop(reason: "cancelled" | "closing"): void {
    this.#cancelController.abort(reason);
    this.#abortController.abort(reason);
  }

  /** Breaks the connection; the log entry does not count it as closed by the client. */
  cut(): void {
    this.#isCutBySimulator = true;
    this.response.destroy();
  }

  /** Reads the request body. Throws ApiError if it exceeds `maxBytes`; the rest is then read and discarded. */
  async readBody(maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > maxBytes) {
        this.request.resume();
        throw new ApiError({ code: "resource_exhausted" }, "request body too large");
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Sends a complete JSON response. */
  sendJson(status: number, body: JsonObject, headers: Record<string, string> = {}): void {
    this.response.writeHead(status, { "content-type": "application/json", ...headers });
    this.response.end(JSON.stringify(body));
  }

  /** Sends an error as a unary response (kimi-web.md §2.9). */
  sendError(error: ApiError | ErrorFields): void {
    const apiError = error instanceof ApiError ? error : new ApiError(error);
    this.sendJson(httpStatusOf(apiError.fields.code), errorJson(apiError, this.language));
  }

  #onClose(): void {
    if (this.response.writableFinished) return;
    if (!this.#isCutBySimulator) {
      this.logEntry.closedByClient = true;
      this.logEntry.closedAt = performance.now();
    }
    this.#abortController.abort("left");
  }
}
