import { gunzipSync } from "node:zlib";
import { GatewayError } from "../../core/errors.js";

/** Flag bits and header length of an envelope (kimi-web.md §2.1). */
const compressedFlag = 0x01;
const endOfStreamFlag = 0x02;
const headerLength = 5;

const emptyBuffer = Buffer.alloc(0);

/**
 * One envelope of a Connect stream: an event, or with `isEndOfStream` the trailer. Its payload is `bytes` from `start`
 * to `end`, valid until the next call of the decoder.
 */
export type Envelope = { isEndOfStream: boolean; bytes: Buffer; start: number; end: number };

/** The payload of an envelope as text. */
export function payloadText({ bytes, start, end }: Envelope): string {
  return bytes.toString("utf8", start, end);
}

/** Prefixes a payload with the five header bytes. A request is exactly one envelope (kimi-web.md §2.1). */
export function encodeEnvelope(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const envelope = Buffer.allocUnsafe(headerLength + length);
  envelope[0] = 0;
  envelope.writeUInt32BE(length, 1);
  envelope.write(payload, headerLength);
  return envelope;
}

/**
 * Decodes Connect envelopes: bytes in, envelopes out, however the bytes are split. Does not parse payloads. Call `push`
 * with each chunk, then `next` until it returns undefined.
 */
export class EnvelopeDecoder {
  readonly #maxBytes: number;
  #bytes: Buffer = emptyBuffer;
  /** Chunks that arrived after `#bytes`. */
  #laterChunks: Buffer[] = [];
  /** Start of the next envelope in `#bytes`. */
  #position = 0;
  /** Bytes that have arrived and were not returned in an envelope. */
  #availableBytes = 0;
  /** Bytes needed before the next attempt to decode; keeps a large envelope in small chunks linear. */
  #neededBytes = headerLength;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    if (this.#availableBytes === 0) {
      this.#bytes = chunk;
      this.#position = 0;
    } else this.#laterChunks.push(chunk);
    this.#availableBytes += chunk.length;
  }

  /**
   * The next complete envelope, or undefined until more has arrived. Throws `upstream_protocol` for an envelope over
   * `maxBytes`, as soon as its header has arrived, and for one that does not decompress.
   */
  next(): Envelope | undefined {
    if (this.#availableBytes < this.#neededBytes) {
      // Do not keep the buffer alive until more arrives.
      if (this.#availableBytes === 0) this.#bytes = emptyBuffer;
      return undefined;
    }
    if (this.#laterChunks.length > 0) this.#joinChunks();
    const bytes = this.#bytes;
    const length = bytes.readUInt32BE(this.#position + 1);
    if (length > this.#maxBytes) throw tooLargeError(length, this.#maxBytes);
    this.#neededBytes = headerLength + length;
    if (this.#availableBytes < this.#neededBytes) return undefined;
    const flags = bytes.readUInt8(this.#position);
    const start = this.#position + headerLength;
    const end = start + length;
    this.#position = end;
    this.#availableBytes -= this.#neededBytes;
    this.#neededBytes = headerLength;
    const isEndOfStream = (flags & endOfStreamFlag) !== 0;
    if ((flags & compressedFlag) === 0) return { isEndOfStream, bytes, start, end };
    const decompressed = this.#decompress(bytes.subarray(start, end));
    return { isEndOfStream, bytes: decompressed, start: 0, end: decompressed.length };
  }

  #joinChunks(): void {
    this.#bytes = Buffer.concat([this.#bytes, ...this.#laterChunks]);
    this.#laterChunks = [];
  }

  #decompress(payload: Buffer): Buffer {
    try {
      return gunzipSync(payload, { maxOutputLength: this.#maxBytes });
    } catch (cause) {
      throw new GatewayError("upstream_protocol", "Kimi sent a compressed frame that does not unpack.", {
        cause,
      });
    }
  }
}

function tooLargeError(length: number, maxBytes: number): GatewayError {
  return new GatewayError(
    "upstream_protocol",
    `Kimi announced a frame of ${length} bytes; the limit is ${maxBytes}. Is the base URL really Kimi's?`,
  );
}
