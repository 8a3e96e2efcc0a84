import type { IncomingHttpHeaders } from "node:http";
import type { JsonObject } from "./json.js";

/** One request as it was received. */
export type Call = {
  method: string;
  path: string;
  /** When it came, by performance.now(). */
  at: number;
  headers: IncomingHttpHeaders;
  /** Its JSON, if it had any and it was not too large to keep. */
  body: JsonObject | undefined;
  /** The client went away before the answer was complete. */
  closedByClient?: boolean;
  closedAt?: number;
};

const mostCalls = 20_000;
const mostBytes = 67_108_864;
const largestBody = 16_777_216;

/** The latest requests, and as many of their bodies as fit. */
export class CallLog {
  readonly calls: Call[] = [];
  readonly #bodies: { call: Call; size: number }[] = [];
  #bytes = 0;

  add(call: Call): void {
    this.calls.push(call);
    if (this.calls.length > mostCalls) this.calls.shift();
  }

  keepBody(call: Call, body: JsonObject, size: number): void {
    if (size > largestBody) return;
    call.body = body;
    this.#bodies.push({ call, size });
    this.#bytes += size;
    while (this.#bytes > mostBytes || this.#bodies.length > mostCalls) this.#dropOldestBody();
  }

  #dropOldestBody(): void {
    const oldest = this.#bodies.shift();
    if (!oldest) return;
    oldest.call.body = undefined;
    this.#bytes -= oldest.size;
  }
}
