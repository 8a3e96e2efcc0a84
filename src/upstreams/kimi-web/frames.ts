import { gunzipSync } from "node:zlib";
import { ChatError } from "../../chat/errors.js";

/** Flag bits and header of an envelope: kimi-web.md §2.1. */
const compressed = 0x01;
const endOfStream = 0x02;
const headerLength = 5;

/** One envelope of a Connect stream: an event, or the trailer that ends the stream; the text inside it. */
export type Frame = { end: boolean; payload: string };

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
  #chunks: Buffer[] = [];
  /** Where the next frame begins in the first chunk. */
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
      this.#chunks = [chunk];
      this.#at = 0;
    } else this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * The next complete frame, or undefined until more has arrived. Throws `upstream_protocol` for a frame over
   * `maxBytes`, as soon as its header is there, and for one that does not unpack.
   */
  next(): Frame | undefined {
    if (this.#size < this.#wanted) return undefined;
    const bytes = this.#joined();
    const length = bytes.readUInt32BE(this.#at + 1);
    if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes);
    this.#wanted = headerLength + length;
    if (this.#size < this.#wanted) return undefined;
    const flags = bytes.readUInt8(this.#at);
    const start = this.#at + headerLength;
    const payload =
      (flags & compressed) === 0
        ? bytes.toString("utf8", start, start + length)
        : this.#unpacked(bytes.subarray(start, start + length));
    this.#at = start + length;
    this.#size -= this.#wanted;
    this.#wanted = headerLength;
    // Until more comes there is nothing to hold on to.
    if (this.#size === 0) this.#chunks.length = 0;
    return { end: (flags & endOfStream) !== 0, payload };
  }

  #joined(): Buffer {
    const first = this.#chunks[0];
    if (first && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #unpacked(payload: Buffer): string {
    try {
      return gunzipSync(payload, { maxOutputLength: this.#maxBytes }).toString("utf8");
    } catch (cause) {
      throw new ChatError("upstream_protocol", "Kimi sent a compressed frame that does not unpack.", {
        cause,
      });
    }
  }
}

function tooLarge(length: number, maxBytes: number): ChatError {
  return new ChatError(
    "upstream_protocol",
    `Kimi announced a frame of ${length} bytes; the limit is ${maxBytes}. Is the base URL really Kimi's?`,
  );
}
