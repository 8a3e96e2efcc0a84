import type { ServerResponse } from "node:http";
import { setImmediate as nextIteration } from "node:timers/promises";
import { encodeEnvelope, encodeGzipEnvelope } from "./envelope.js";
import type { WireOptions } from "./faults.js";
import type { HttpCall } from "./http-call.js";

/** Frames are collected up to this size before they are written. */
const flushBytes = 8_192;
/** The same limit with the option `burst`. */
const maxPendingBytes = 16_777_216;

/** Buffers and writes the bytes of one streamed response, with back-pressure. */
export class ResponseWriter {
  readonly #call: HttpCall;
  readonly #options: WireOptions;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #sentBytes = 0;
  #isDiscarding = false;

  constructor(call: HttpCall, options: WireOptions) {
    this.#call = call;
    this.#options = options;
  }

  /** Sends status 200 and the headers, at once unless the option `burst` is set. */
  open(contentType: string): void {
    this.#call.response.writeHead(200, {
      "content-type": contentType,
      ...(this.#options.gzip ? { "connect-content-encoding": "gzip" } : {}),
    });
    if (!this.#options.burst) this.#call.response.flushHeaders();
  }

  /** Buffers a Connect envelope; compressed with the option `gzip`. */
  writeFrame(payload: string, flags = 0): void {
    this.writeBytes(this.#options.gzip ? encodeGzipEnvelope(payload, flags) : encodeEnvelope(payload, flags));
  }

  /** Buffers bytes as they are. They must not change afterwards, since they are not copied. */
  writeBytes(bytes: Uint8Array): void {
    if (this.#isDiscarding) return;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pending.push(buffer);
    this.#pendingBytes += buffer.length;
  }

  /** True if enough bytes are pending for a write. */
  get shouldFlush(): boolean {
    return this.#pendingBytes >= (this.#options.burst ? maxPendingBytes : flushBytes);
  }

  /** Writes the pending bytes and waits until the socket has drained. With `burst`, only when the limit is reached. */
  async flush(): Promise<void> {
    if (this.#options.burst && !this.shouldFlush) return;
    await this.#write();
  }

  /** Writes the pending bytes and ends the HTTP response properly. */
  async end(): Promise<void> {
    if (this.#options.split || this.#options.cutAfterBytes !== undefined) await this.#write();
    if (!this.#isDiscarding) this.#call.response.end(this.#takePending());
  }

  /** Writes the pending bytes; from now on nothing is written, and `end` leaves the response as it is. */
  async discardRest(): Promise<void> {
    await this.#write();
    this.#isDiscarding = true;
  }

  /** Writes the pending bytes, then breaks the connection. */
  async cut(): Promise<void> {
    await this.#write();
    this.#call.cut();
  }

  async #write(): Promise<void> {
    const bytes = this.#takePending();
    const limit = this.#options.cutAfterBytes;
    if (limit !== undefined && this.#sentBytes + bytes.length >= limit) {
      const isWritten = this.#call.response.write(bytes.subarray(0, limit - this.#sentBytes));
      this.#isDiscarding = true;
      if (!isWritten) await drained(this.#call.response);
      await nextIteration();
      this.#call.cut();
      return;
    }
    this.#sentBytes += bytes.length;
    const size = this.#options.split ?? bytes.length;
    const { response } = this.#call;
    for (let offset = 0; offset < bytes.length && !response.destroyed; offset += size) {
      if (!response.write(bytes.subarray(offset, offset + size))) await drained(response);
      await nextIteration();
    }
  }

  #takePending(): Buffer {
    const bytes =
      this.#pending.length === 1 && this.#pending[0] ? this.#pending[0] : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return bytes;
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.once("drain", done).once("close", done);
  });
}
