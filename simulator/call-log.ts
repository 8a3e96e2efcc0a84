import type { IncomingHttpHeaders } from "node:http";
import type { JsonObject } from "./json.js";

/** One received request. */
export type CallLogEntry = {
  method: string;
  path: string;
  /** Time of receipt, by performance.now(). */
  receivedAt: number;
  headers: IncomingHttpHeaders;
  /** The JSON body; undefined if there was none, or if it was too large or too old to keep. */
  body: JsonObject | undefined;
  /** The client closed the connection before the response was complete. */
  closedByClient?: boolean;
  /** When the client closed the connection, by performance.now(). */
  closedAt?: number;
};

const maxCalls = 20_000;
const maxTotalBodyBytes = 67_108_864;
const maxBodyBytes = 16_777_216;

/** The last 20,000 requests, with the latest bodies up to 64 MiB in total. */
export class CallLog {
  readonly entries: CallLogEntry[] = [];
  readonly #bodies: { entry: CallLogEntry; size: number }[] = [];
  #totalBodyBytes = 0;

  /** Adds an entry, and drops the oldest beyond the limit. */
  add(entry: CallLogEntry): void {
    this.entries.push(entry);
    if (this.entries.length > maxCalls) this.entries.shift();
  }

  /**
   * Adds the parsed body to an entry. `size` is what the body counts towards the limits, in bytes; a body over 16 MiB is
   * not recorded, and the oldest bodies are dropped when all together exceed 64 MiB.
   */
  recordBody(entry: CallLogEntry, body: JsonObject, size: number): void {
    if (size > maxBodyBytes) return;
    entry.body = body;
    this.#bodies.push({ entry, size });
    this.#totalBodyBytes += size;
    while (this.#totalBodyBytes > maxTotalBodyBytes || this.#bodies.length > maxCalls) this.#dropOldestBody();
  }

  #dropOldestBody(): void {
    const oldest = this.#bodies.shift();
    if (!oldest) return;
    oldest.entry.body = undefined;
    this.#totalBodyBytes -= oldest.size;
  }
}
