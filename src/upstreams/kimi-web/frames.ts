import { gunzipSync } from "node:zlib";
import { ChatError } from "../../chat/errors.js";

/** Flag bits and header of an envelope: kimi-web.md §2.1. */
const compressed = 0x01;
const endOfStream = 0x02;
const headerLength = 5;

const nothing = Buffer.alloc(0);

/** One envelope of a Connect stream: an event, or the trailer that ends the stream. */
export type Frame = { end: boolean; payload: Buffer };

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
 * Throws `upstream_protocol` for a frame over `maxBytes` and for one that does not unpack.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes to wait for before it is worth looking again; keeps a large frame in small pieces linear. */
  #wanted = headerLength;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True between two frames: nothing half-read is waiting. */
  get atBoundary(): boolean {
    return this.#size === 0;
  }

  /** All the frames that are complete with this chunk. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#size);

    const frames: Frame[] = [];
    let at = 0;
    this.#wanted = headerLength;
    while (bytes.length - at >= headerLength) {
      const length = bytes.readUInt32BE(at + 1);
      if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes);
      const end = at + headerLength + length;
      if (end > bytes.length) {
        this.#wanted = headerLength + length;
        break;
      }
      frames.push(this.#frame(bytes.readUInt8(at), bytes.subarray(at + headerLength, end)));
      at = end;
    }

    const rest = at === bytes.length ? nothing : bytes.subarray(at);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
    return frames;
  }

  #frame(flags: number, payload: Buffer): Frame {
    const end = (flags & endOfStream) !== 0;
    if ((flags & compressed) === 0) return { end, payload };
    try {
      return { end, payload: gunzipSync(payload, { maxOutputLength: this.#maxBytes }) };
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
