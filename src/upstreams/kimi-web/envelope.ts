import { gunzipSync } from "node:zlib";
import { GatewayError } from "../../core/errors.js";

/** Flag bits and header of an envelope: kimi-web.md §2.1. */
const compressed = 0x01;
const endOfStream = 0x02;
const headerLength = 5;

const nothing = Buffer.alloc(0);

/**
 * One envelope of a Connect stream: an event, or with `last` the trailer that ends the stream. Its payload is the bytes
 * from `start` to `end`, which stay what they are until the decoder is asked again.
 */
export type Frame = { last: boolean; bytes: Buffer; start: number; end: number };

/** The text inside a frame. */
export function payloadOf({ bytes, start, end }: Frame): string {
  return bytes.toString("utf8", start, end);
}

/** Wraps a payload in the five header bytes; a request is exactly one such frame (kimi-web.md §2.1). */
export function encodeFrame(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
  frame.write(payload, headerLength);
  return frame;
}

/**
 * Cuts a byte stream into frames, however it was split on the way. Never looks inside a payload.
 * `push` what arrived, then take frames with `next` until there is none.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  #bytes: Buffer = nothing;
  /** What has arrived since `bytes`. */
  #later: Buffer[] = [];
  /** Where the next frame begins in `bytes`. */
  #at = 0;
  /** Bytes that have arrived and belong to no frame yet. */
  #size = 0;
  /** Bytes to wait for before it is worth looking again; keeps a large frame in small pieces linear. */
  #wanted = headerLength;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    if (this.#size === 0) {
      this.#bytes = chunk;
      this.#at = 0;
    } else this.#later.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * The next complete frame, or undefined until more has arrived. Throws `upstream_protocol` for a frame over
   * `maxBytes`, as soon as its header is there, and for one that does not unpack.
   */
  next(): Frame | undefined {
    if (this.#size < this.#wanted) {
      // Until more comes there is nothing to hold on to.
      if (this.#size === 0) this.#bytes = nothing;
      return undefined;
    }
    if (this.#later.length > 0) this.#join();
    const bytes = this.#bytes;
    const length = bytes.readUInt32BE(this.#at + 1);
    if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes);
    this.#wanted = headerLength + length;
    if (this.#size < this.#wanted) return undefined;
    const flags = bytes.readUInt8(this.#at);
    const start = this.#at + headerLength;
    const end = start + length;
    this.#at = end;
    this.#size -= this.#wanted;
    this.#wanted = headerLength;
    const last = (flags & endOfStream) !== 0;
    if ((flags & compressed) === 0) return { last, bytes, start, end };
    const unpacked = this.#unpacked(bytes.subarray(start, end));
    return { last, bytes: unpacked, start: 0, end: unpacked.length };
  }

  #join(): void {
    this.#bytes = Buffer.concat([this.#bytes, ...this.#later]);
    this.#later = [];
  }

  #unpacked(payload: Buffer): Buffer {
    try {
      return gunzipSync(payload, { maxOutputLength: this.#maxBytes });
    } catch (cause) {
      throw new GatewayError("upstream_protocol", "Kimi sent a compressed frame that does not unpack.", {
        cause,
      });
    }
  }
}

function tooLarge(length: number, maxBytes: number): GatewayError {
  return new GatewayError(
    "upstream_protocol",
    `Kimi announced a frame of ${length} bytes; the limit is ${maxBytes}. Is the base URL really Kimi's?`,
  );
}
