/** Collects the text of one write to an HTTP response. */
export type ChunkWriter = {
  /** Adds prefix, text and suffix; they are never split between two chunks. */
  write(text: string, prefix?: Buffer, suffix?: Buffer): void;
};

/**
 * Chunks of all responses are written one after the other into a shared block. A client that does not read keeps at most
 * one block in memory.
 */
const blockSize = 16_384;
let block = Buffer.allocUnsafeSlow(blockSize);
let blockUsed = 0;

const crlf = Buffer.from("\r\n");
/** A chunk's head is up to four hex digits and CRLF, its tail CRLF. */
const [headSize, tailSize] = [4 + crlf.length, crlf.length];
/** Larger content gets a buffer of its own. */
const maxContentSize = blockSize - headSize - tailSize;
const hexDigits = Buffer.from("0123456789abcdef");
const emptyBuffer = Buffer.alloc(0);

/**
 * Encodes HTTP chunks directly into the block. Joining strings first would copy all text twice: to get its length in
 * bytes, and to encode it.
 */
class BufferedChunkWriter implements ChunkWriter {
  #chunks: Buffer[] = [];
  /** Offsets in the block where the content of the current chunk begins and ends. */
  #start = 0;
  #end = 0;

  reset(): void {
    this.#chunks = [];
    this.#beginChunk();
  }

  write(text: string, prefix = emptyBuffer, suffix = emptyBuffer): void {
    // A UTF-16 code unit takes at most three bytes in UTF-8.
    const maxSize = prefix.length + 3 * text.length + suffix.length;
    if (maxSize > maxContentSize) {
      this.#writeOversized(Buffer.concat([prefix, Buffer.from(text), suffix]));
      return;
    }
    if (this.#end + maxSize + tailSize > blockSize) this.#allocateBlock();
    block.set(prefix, this.#end);
    this.#end += prefix.length;
    this.#end += block.write(text, this.#end);
    block.set(suffix, this.#end);
    this.#end += suffix.length;
  }

  takeChunks(): Buffer[] {
    this.#endChunk();
    return this.#chunks;
  }

  #beginChunk(): void {
    this.#start = blockUsed + headSize;
    this.#end = this.#start;
  }

  #endChunk(): void {
    if (this.#end === this.#start) return;
    let chunkStart = this.#start - crlf.length;
    for (let rest = this.#end - this.#start; rest > 0; rest >>= 4)
      block[--chunkStart] = hexDigits[rest & 15] ?? 0;
    block.set(crlf, this.#start - crlf.length);
    block.set(crlf, this.#end);
    blockUsed = this.#end + tailSize;
    this.#chunks.push(block.subarray(chunkStart, blockUsed));
    this.#beginChunk();
  }

  #allocateBlock(): void {
    this.#endChunk();
    block = Buffer.allocUnsafeSlow(blockSize);
    blockUsed = 0;
    this.#beginChunk();
  }

  #writeOversized(content: Buffer): void {
    this.#endChunk();
    this.#chunks.push(Buffer.concat([Buffer.from(content.length.toString(16)), crlf, content, crlf]));
  }
}

const chunkWriter = new BufferedChunkWriter();

/**
 * Calls `fill` and returns what it wrote as chunks of an HTTP body (RFC 9112 §7.1); an empty list if it wrote nothing.
 * `fill` must not call this function.
 */
export function encodeChunks(fill: (writer: ChunkWriter) => void): Buffer[] {
  chunkWriter.reset();
  fill(chunkWriter);
  return chunkWriter.takeChunks();
}

/** The content of chunks without their framing, for a response that Node chunks itself or that is not chunked. */
export function chunkContents(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(
    chunks.map((chunk) => chunk.subarray(chunk.indexOf(crlf) + crlf.length, -crlf.length)),
  );
}
