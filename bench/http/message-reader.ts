type Part = "head" | "size" | "data" | "gap" | "trailer" | "sized";

const lineFeed = 0x0a;

/** What a reader tells. The bytes of a body are valid only during the call. */
export type MessageListener = {
  head(head: string): void;
  body(chunk: Buffer, start: number, end: number): void;
  end(): void;
};

/**
 * Reads HTTP/1.1 messages off a connection, one after the other. It knows what the parties of this benchmark send and
 * no more, so that the fake upstream and the load client cost little beside what is measured.
 */
export class MessageReader {
  readonly #listener: MessageListener;
  #part: Part = "head";
  #head = "";
  /** Bytes of the body, or of this chunk of it, that are still to come. */
  #left = 0;
  #size = "";
  #trailer = "";

  constructor(listener: MessageListener) {
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#part) {
      case "head":
        return this.#readHead(chunk, at);
      case "size":
        return this.#readSize(chunk, at);
      case "data":
      case "sized": {
        const end = Math.min(chunk.length, at + this.#left);
        this.#left -= end - at;
        this.#listener.body(chunk, at, end);
        if (this.#left > 0) return end;
        if (this.#part === "data") this.#part = "gap";
        else this.#finish();
        return end;
      }
      case "gap":
        if (chunk[at] === lineFeed) this.#part = "size";
        return at + 1;
      case "trailer":
        this.#trailer += chunk.toString("latin1", at, at + 1);
        if (this.#trailer.endsWith("\n\r\n") || this.#trailer === "\r\n") this.#finish();
        return at + 1;
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const before = this.#head.length;
    this.#head += chunk.toString("latin1", at);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end === -1) return chunk.length;
    const head = this.#head.slice(0, end);
    this.#head = "";
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const chunked = /^transfer-encoding: *chunked/im.test(head);
    this.#listener.head(head);
    this.#left = Number(length ?? 0);
    this.#part = chunked ? "size" : "sized";
    if (!chunked && this.#left === 0) this.#finish();
    return at + end + "\r\n\r\n".length - before;
  }

  #readSize(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(lineFeed, at);
    this.#size += chunk.toString("latin1", at, end === -1 ? chunk.length : end);
    if (end === -1) return chunk.length;
    this.#left = Number.parseInt(this.#size, 16);
    this.#size = "";
    this.#trailer = "";
    if (Number.isNaN(this.#left)) throw new Error("a chunk without its size");
    this.#part = this.#left > 0 ? "data" : "trailer";
    return end + 1;
  }

  #finish(): void {
    this.#part = "head";
    this.#listener.end();
  }
}

/** Bytes as one chunk of a chunked body. */
export function asChunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

export const lastChunk = Buffer.from("0\r\n\r\n");
