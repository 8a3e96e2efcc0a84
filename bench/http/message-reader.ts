/** What is read next: the head, parts of a chunked body, or a `body` with a content length. */
type ReaderState = "head" | "chunk-size" | "chunk-data" | "chunk-end" | "trailer" | "body";

const lineFeed = 0x0a;

/** The callbacks of a reader, for one message after the other. */
export type MessageHandler = {
  /** The head of a message: the first line and the headers. */
  onHead(head: string): void;
  /** Bytes of the body: `chunk` from `start` to `end`. They are valid only during the call. */
  onBody(chunk: Buffer, start: number, end: number): void;
  /** The message has ended. */
  onEnd(): void;
};

/**
 * Parses the HTTP/1.1 messages of a connection, one after the other. It supports only what the processes of this
 * benchmark send, so that the fake upstream and the load client cost little compared with what is measured.
 */
export class MessageReader {
  readonly #handler: MessageHandler;
  #state: ReaderState = "head";
  #head = "";
  /** Bytes of the body, or of its current chunk, that have not been read yet. */
  #remaining = 0;
  #size = "";
  #trailer = "";

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  /** Takes bytes as they were received. Throws for an invalid chunk size. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) offset = this.#readStep(chunk, offset);
  }

  /** Reads one element of the message and returns the offset after it. */
  #readStep(chunk: Buffer, offset: number): number {
    switch (this.#state) {
      case "head":
        return this.#readHead(chunk, offset);
      case "chunk-size":
        return this.#readSize(chunk, offset);
      case "chunk-data":
      case "body": {
        const end = Math.min(chunk.length, offset + this.#remaining);
        this.#remaining -= end - offset;
        this.#handler.onBody(chunk, offset, end);
        if (this.#remaining > 0) return end;
        if (this.#state === "chunk-data") this.#state = "chunk-end";
        else this.#finish();
        return end;
      }
      case "chunk-end":
        if (chunk[offset] === lineFeed) this.#state = "chunk-size";
        return offset + 1;
      case "trailer":
        this.#trailer += chunk.toString("latin1", offset, offset + 1);
        if (this.#trailer.endsWith("\n\r\n") || this.#trailer === "\r\n") this.#finish();
        return offset + 1;
    }
  }

  #readHead(chunk: Buffer, offset: number): number {
    const lengthBefore = this.#head.length;
    this.#head += chunk.toString("latin1", offset);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end === -1) return chunk.length;
    const head = this.#head.slice(0, end);
    this.#head = "";
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const chunked = /^transfer-encoding: *chunked/im.test(head);
    this.#handler.onHead(head);
    this.#remaining = Number(length ?? 0);
    this.#state = chunked ? "chunk-size" : "body";
    if (!chunked && this.#remaining === 0) this.#finish();
    return offset + end + "\r\n\r\n".length - lengthBefore;
  }

  #readSize(chunk: Buffer, offset: number): number {
    const end = chunk.indexOf(lineFeed, offset);
    this.#size += chunk.toString("latin1", offset, end === -1 ? chunk.length : end);
    if (end === -1) return chunk.length;
    this.#remaining = Number.parseInt(this.#size, 16);
    this.#size = "";
    this.#trailer = "";
    if (Number.isNaN(this.#remaining)) throw new Error("a chunk without its size");
    this.#state = this.#remaining > 0 ? "chunk-data" : "trailer";
    return end + 1;
  }

  #finish(): void {
    this.#state = "head";
    this.#handler.onEnd();
  }
}

/** The bytes as one chunk of a chunked body. */
export function encodeChunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

/** The end of a chunked body. */
export const lastChunk = Buffer.from("0\r\n\r\n");
