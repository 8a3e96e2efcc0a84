import type { IncomingMessage } from "node:http";
import { Transform, type TransformCallback } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { Decompress } from "fzstd";
import { GatewayError } from "../../core/errors.js";

/** A content encoding of request bodies. */
export type ContentEncoding = { name: string; createDecoder: () => Transform };

/** The encoding of the body, if it has one. Throws `unsupported_media_type` for any but gzip, deflate, br and zstd. */
export function contentEncoding(request: IncomingMessage): ContentEncoding | undefined {
  const name = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (name === "" || name === "identity") return undefined;
  const createDecoder = decoders.get(name);
  if (!createDecoder) throw unsupportedEncodingError(name);
  return { name, createDecoder };
}

/** Of Node's own decoders, that of zstd needs Node 22.15. */
class ZstdDecompress extends Transform {
  readonly #decoder = new Decompress((bytes) => {
    if (bytes.length === 0) return;
    this.#decodedBytes += bytes.length;
    this.push(bytes);
  });
  #decodedBytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#decode(chunk).then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#decoder.push(new Uint8Array(0), true);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** In small pieces, with pauses while the reader is behind: four bytes can be the whole of a block of 128 KB. */
  async #decode(chunk: Buffer): Promise<void> {
    for (let start = 0; start < chunk.length && !this.destroyed; start += pieceLength) {
      const before = this.#decodedBytes;
      this.#decoder.push(chunk.subarray(start, start + pieceLength));
      if (this.#decodedBytes === before) continue;
      do await setImmediate();
      while (this.readableLength > this.readableHighWaterMark && !this.destroyed);
    }
  }
}

/** Compressed bytes that are decoded in one go. */
const pieceLength = 64;

const decoders: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
  ["zstd", () => new ZstdDecompress()],
]);

function unsupportedEncodingError(encoding: string): GatewayError {
  const name = encoding.replace(/[^\w.,* -]/g, "?").slice(0, 64);
  return new GatewayError(
    "unsupported_media_type",
    `The content-encoding “${name}” is not understood. Send the body as it is, or as gzip, deflate, br or zstd.`,
  );
}
