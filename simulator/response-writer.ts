import type { ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { envelope, gzipEnvelope } from "./envelope.js";
import type { Manner } from "./faults.js";
import type { Visit } from "./http-call.js";

/** Frames are gathered up to this size before they are written. */
const portion = 8_192;
const mostHeld = 16_777_216;

/** The bytes of one streamed answer on their way out, at the speed the client reads them. */
export class Wire {
  readonly #visit: Visit;
  readonly #manner: Manner;
  #held: Buffer[] = [];
  #size = 0;

  constructor(visit: Visit, manner: Manner) {
    this.#visit = visit;
    this.#manner = manner;
  }

  /** Status 200 and the headers; on the wire at once unless everything is to be one write. */
  open(contentType: string): void {
    this.#visit.response.writeHead(200, {
      "content-type": contentType,
      ...(this.#manner.gzip ? { "connect-content-encoding": "gzip" } : {}),
    });
    if (!this.#manner.burst) this.#visit.response.flushHeaders();
  }

  frame(payload: string, flags = 0): void {
    this.bytes(this.#manner.gzip ? gzipEnvelope(payload, flags) : envelope(payload, flags));
  }

  bytes(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#held.push(buffer);
    this.#size += buffer.length;
  }

  /** True when it is time to write. */
  get full(): boolean {
    return this.#size >= (this.#manner.burst ? mostHeld : portion);
  }

  /** Writes what is held and waits until there is room again. */
  async flush(): Promise<void> {
    if (this.#manner.burst && !this.full) return;
    await this.#write();
  }

  /** Ends the HTTP answer properly. */
  async end(): Promise<void> {
    if (this.#manner.split) await this.#write();
    this.#visit.response.end(this.#take());
  }

  /** Cuts the connection once everything held is out. */
  async cut(): Promise<void> {
    await this.#write();
    this.#visit.cut();
  }

  async #write(): Promise<void> {
    const bytes = this.#take();
    const size = this.#manner.split ?? bytes.length;
    const { response } = this.#visit;
    for (let at = 0; at < bytes.length && !response.destroyed; at += size) {
      if (!response.write(bytes.subarray(at, at + size))) await room(response);
      await turn();
    }
  }

  #take(): Buffer {
    const bytes = this.#held.length === 1 && this.#held[0] ? this.#held[0] : Buffer.concat(this.#held);
    this.#held = [];
    this.#size = 0;
    return bytes;
  }
}

function room(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.once("drain", done).once("close", done);
  });
}
