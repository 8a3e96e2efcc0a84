import type { IncomingMessage, ServerResponse } from "node:http";
import type { Call } from "./call-log.js";
import { type ErrorShape, errorJson, Refusal, statusOf } from "./errors.js";
import type { JsonObject } from "./json.js";

/** One HTTP exchange, and what is noted of it. */
export class Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly call: Call;
  /** Settled once nothing more goes over the wire. */
  readonly closed: Promise<void>;
  readonly #stop = new AbortController();
  #cutByUs = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    const { pathname } = new URL(request.url ?? "/", "http://simulator");
    const method = request.method ?? "GET";
    this.call = { method, path: pathname, at: performance.now(), headers: request.headers, body: undefined };
    this.closed = new Promise((resolve) => {
      response.once("close", () => {
        this.#end();
        resolve();
      });
    });
    // A client that is gone is noted by "close"; writing to it is no error of ours.
    response.on("error", () => {});
  }

  /** Aborted when the client leaves, the answer is cancelled or the simulator closes. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  get language(): string {
    return String(this.request.headers["x-language"] ?? "en-US");
  }

  get bearer(): string | undefined {
    return /^Bearer (\S+)$/i.exec(this.request.headers.authorization ?? "")?.[1];
  }

  stop(reason: "cancelled" | "closing"): void {
    this.#stop.abort(reason);
  }

  /** Breaks the connection, which is then not put down to the client. */
  cut(): void {
    this.#cutByUs = true;
    this.response.destroy();
  }

  /** The body, or a refusal if it is larger than allowed; the rest is then read and dropped. */
  async body(mostBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > mostBytes) {
        this.request.resume();
        throw new Refusal({ code: "resource_exhausted" }, "request body too large");
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  json(status: number, body: JsonObject, headers: Record<string, string> = {}): void {
    this.response.writeHead(status, { "content-type": "application/json", ...headers });
    this.response.end(JSON.stringify(body));
  }

  /** A unary error (kimi-web.md §2.9). */
  refuse(refusal: Refusal | ErrorShape): void {
    const its = refusal instanceof Refusal ? refusal : new Refusal(refusal);
    this.json(statusOf(its.shape.code), errorJson(its, this.language));
  }

  #end(): void {
    if (this.response.writableFinished) return;
    if (!this.#cutByUs) {
      this.call.closedByClient = true;
      this.call.closedAt = performance.now();
    }
    this.#stop.abort("left");
  }
}
