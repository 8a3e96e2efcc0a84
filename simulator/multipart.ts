import { createHash } from "node:crypto";

/** What is left of an uploaded file: its digest, never its bytes. */
export type Digest = { name: string; contentType: string; size: number; checksum: string };

const mostHeader = 16_384;
const headerEnd = Buffer.from("\r\n\r\n");

/** Reads the single part of an upload as it flows by (kimi-web.md §2.8). Undefined if it is not such a form. */
export async function readUpload(
  chunks: AsyncIterable<Buffer>,
  contentType: string,
  mostBytes: number,
): Promise<Digest | "too large" | undefined> {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]{1,200})"?/i.exec(contentType)?.[1];
  if (!boundary) return undefined;
  const part = new Part(boundary);
  for await (const chunk of chunks) {
    if (!part.push(chunk)) return undefined;
    if (part.size > mostBytes) return "too large";
  }
  return part.digest();
}

/** One part of a form: header lines, then bytes up to the closing boundary. */
class Part {
  readonly #opening: string;
  readonly #closing: Buffer;
  readonly #hash = createHash("sha256");
  #state: "header" | "content" | "end" = "header";
  #held: Buffer = Buffer.alloc(0);
  #header = "";
  size = 0;

  constructor(boundary: string) {
    this.#opening = `--${boundary}\r\n`;
    this.#closing = Buffer.from(`\r\n--${boundary}`);
  }

  /** False once it cannot become a part any more. */
  push(chunk: Buffer): boolean {
    if (this.#state === "end") return true;
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    if (this.#state === "header" && !this.#readHeader()) return this.#held.length <= mostHeader;
    this.#readContent();
    return true;
  }

  digest(): Digest | undefined {
    const name = fileName(this.#header);
    if (this.#state !== "end" || name === undefined) return undefined;
    const contentType =
      /^content-type:\s*(\S[^\r\n]*)/im.exec(this.#header)?.[1] ?? "application/octet-stream";
    return { name, contentType, size: this.size, checksum: this.#hash.digest("hex") };
  }

  #readHeader(): boolean {
    const end = this.#held.indexOf(headerEnd);
    if (end < 0) return false;
    const header = this.#held.toString("utf8", 0, end + 2);
    if (!header.startsWith(this.#opening)) return false;
    this.#header = header.slice(this.#opening.length);
    this.#held = this.#held.subarray(end + headerEnd.length);
    this.#state = "content";
    return true;
  }

  #readContent(): void {
    const end = this.#held.indexOf(this.#closing);
    // The closing boundary may have arrived in part: that much stays behind.
    const sure = end >= 0 ? end : Math.max(0, this.#held.length - this.#closing.length + 1);
    this.#hash.update(this.#held.subarray(0, sure));
    this.size += sure;
    this.#held = end >= 0 ? Buffer.alloc(0) : this.#held.subarray(sure);
    if (end >= 0) this.#state = "end";
  }
}

function fileName(header: string): string | undefined {
  const disposition = /^content-disposition:([^\r\n]*)/im.exec(header)?.[1] ?? "";
  if (!/\bname="file"/.test(disposition)) return undefined;
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
  const plain = /filename="((?:[^"\\]|\\.)*)"/.exec(disposition)?.[1]?.replace(/\\(.)/g, "$1");
  try {
    return encoded === undefined ? plain : decodeURIComponent(encoded);
  } catch {
    return plain;
  }
}
