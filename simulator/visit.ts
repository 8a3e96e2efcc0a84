import type { IncomingMessage, ServerResponse } from "node:http";
import type { Call } from "./calls.js";
import { type ErrorShape, errorJson, Refusal, statusOf } from "./errors.js";
import type { JsonObject } from "./json.js";

/** One HTTP exchange, and what is noted of it. */
export class Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly call: Call;
  readonly #stop = new AbortController();
  #cutByUs = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    const { pathname } = new URL(request.url ?? "/", "http://simulator");
    const method = request.method ?? "GET";
    this.call = { method, path: pathname, at: performance.now(), headers: request.headers, body: undefined };
    response.once("close", () => this.#closed());
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

  /** From here on a broken connection is our doing. */
  expectCut(): void {
    this.#cutByUs = true;
  }

  cut(): void {
    this.expectCut();
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

  #closed(): void {
    if (this.response.writableFinished) return;
    if (!this.#cutByUs) {
      this.call.closedByClient = true;
      this.call.closedAt = performance.now();
    }
    this.#stop.abort("left");
  }
}
