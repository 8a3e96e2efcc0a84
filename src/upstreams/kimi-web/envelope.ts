import { promisify } from "node:util";
import { gunzip, gunzipSync } from "node:zlib";
import { GatewayError } from "../../core/errors.js";

/** Flag bits and header length of an envelope (kimi-web.md §2.1). */
const compressedFlag = 0x01;
const endOfStreamFlag = 0x02;
const headerLength = 5;

const gunzipInThread = promisify(gunzip);

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

/** A compressed envelope of more than this many bytes, unpacked, is unpacked in another thread. */
const maxSyncUnpacking = 256 * 1_024;

/**
 * Decodes Connect envelopes: bytes in, envelopes out, however the bytes are split, in time proportional to the bytes.
 * Does not parse payloads. Call `push` with each chunk, then `next` until it returns undefined; if `pending` is then a
 * promise, call `next` again when it has resolved.
 */
export class EnvelopeDecoder {
  readonly #maxBytes: number;
  /** Holds the bytes from `#position` to `#end`. */
  #bytes: Buffer = emptyBuffer;
  /** Whether `#bytes` was allocated here, so that bytes may be added behind `#end`. */
  #isOwnBuffer = false;
  #position = 0;
  #end = 0;
  /** Bytes needed before the next attempt to decode. */
  #neededBytes = headerLength;
  #unpacking: Promise<void> | undefined;
  /** The envelope that was unpacked in another thread, or why that failed. */
  #unpacked: { envelope: Envelope } | { failure: unknown } | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Resolves when an envelope that is being unpacked is ready; undefined if there is none. */
  get pending(): Promise<void> | undefined {
    return this.#unpacking;
  }

  push(chunk: Buffer): void {
    const available = this.#end - this.#position;
    if (available === 0) {
      this.#bytes = chunk;
      this.#isOwnBuffer = false;
      this.#position = 0;
      this.#end = chunk.length;
      return;
    }
    if (!this.#isOwnBuffer || this.#end + chunk.length > this.#bytes.length) {
      // Twice the bytes, so that many small chunks are not copied again and again.
      const grown = Buffer.allocUnsafe(2 * (available + chunk.length));
      this.#bytes.copy(grown, 0, this.#position, this.#end);
      this.#bytes = grown;
      this.#isOwnBuffer = true;
      this.#position = 0;
      this.#end = available;
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /**
   * The next complete envelope, or undefined until more has arrived. Throws `upstream_protocol` for an envelope over
   * `maxBytes`, as soon as its header has arrived, and for one that does not decompress.
   */
  next(): Envelope | undefined {
    if (this.#unpacked) return this.#takeUnpacked(this.#unpacked);
    if (this.#unpacking) return undefined;
    const available = this.#end - this.#position;
    if (available < this.#neededBytes) {
      // Do not keep the buffer alive until more arrives.
      if (available === 0) this.#bytes = emptyBuffer;
      return undefined;
    }
    const bytes = this.#bytes;
    const length = bytes.readUInt32BE(this.#position + 1);
    if (length > this.#maxBytes) throw tooLargeError(length, this.#maxBytes);
    this.#neededBytes = headerLength + length;
    if (available < this.#neededBytes) return undefined;
    const flags = bytes.readUInt8(this.#position);
    const start = this.#position + headerLength;
    const end = start + length;
    this.#position = end;
    this.#neededBytes = headerLength;
    const isEndOfStream = (flags & endOfStreamFlag) !== 0;
    if ((flags & compressedFlag) === 0) return { isEndOfStream, bytes, start, end };
    return this.#unpack(bytes.subarray(start, end), isEndOfStream);
  }

  #unpack(payload: Buffer, isEndOfStream: boolean): Envelope | undefined {
    const statedSize = unpackedSize(payload);
    if (statedSize > this.#maxBytes) throw unpackingError();
    if (statedSize <= maxSyncUnpacking) {
      const maxOutputLength = Math.min(maxSyncUnpacking, this.#maxBytes);
      try {
        return wholeEnvelope(gunzipSync(payload, { maxOutputLength }), isEndOfStream);
      } catch (cause) {
        throw unpackingError(cause);
      }
    }
    this.#unpacking = gunzipInThread(payload, { maxOutputLength: this.#maxBytes }).then(
      (unpacked) => this.#onUnpacked({ envelope: wholeEnvelope(unpacked, isEndOfStream) }),
      (cause: unknown) => this.#onUnpacked({ failure: unpackingError(cause) }),
    );
    return undefined;
  }

  #onUnpacked(result: { envelope: Envelope } | { failure: unknown }): void {
    this.#unpacked = result;
    this.#unpacking = undefined;
  }

  #takeUnpacked(result: { envelope: Envelope } | { failure: unknown }): Envelope {
    this.#unpacked = undefined;
    if ("failure" in result) throw result.failure;
    return result.envelope;
  }
}

function wholeEnvelope(bytes: Buffer, isEndOfStream: boolean): Envelope {
  return { isEndOfStream, bytes, start: 0, end: bytes.length };
}

/** The size that the end of gzip data states (RFC 1952 §2.3.1); it may be wrong. */
function unpackedSize(payload: Buffer): number {
  return payload.length < 4 ? 0 : payload.readUInt32LE(payload.length - 4);
}

function unpackingError(cause?: unknown): GatewayError {
  return new GatewayError("upstream_protocol", "Kimi sent a compressed frame that does not unpack.", {
    cause,
  });
}

function tooLargeError(length: number, maxBytes: number): GatewayError {
  return new GatewayError(
    "upstream_protocol",
    `Kimi announced a frame of ${length} bytes; the limit is ${maxBytes}. Is the base URL really Kimi's?`,
  );
}
