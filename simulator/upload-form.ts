import { createHash } from "node:crypto";
import { isText, TextContent } from "./text-content.js";

/** The metadata of an uploaded file. `size` is in bytes, `checksum` is the SHA-256 in hex. */
type UploadMetadata = { name: string; contentType: string; size: number; checksum: string };

/** An uploaded file; `text` is the content of a text file. */
export type Upload = { metadata: UploadMetadata; text: string };

const maxHeaderBytes = 16_384;
const headerEnd = Buffer.from("\r\n\r\n");

/**
 * Reads an upload form with a single part, without buffering the file unless it is a text (kimi-web.md §2.8). Undefined for
 * any other body; "too large" for a file of more than `maxBytes`.
 */
export async function readUpload(
  chunks: AsyncIterable<Buffer>,
  contentType: string,
  maxBytes: number,
): Promise<Upload | "too large" | undefined> {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]{1,200})"?/i.exec(contentType)?.[1];
  if (!boundary) return undefined;
  const part = new FormPart(boundary);
  for await (const chunk of chunks) {
    if (!part.push(chunk)) return undefined;
    if (part.size > maxBytes) return "too large";
  }
  const metadata = part.metadata();
  return metadata && { metadata, text: part.text };
}

/** Incremental parser of a form with one part: header lines, then bytes up to the closing boundary. */
class FormPart {
  readonly #opening: string;
  readonly #closing: Buffer;
  readonly #hash = createHash("sha256");
  #state: "header" | "content" | "end" = "header";
  #buffered: Buffer = Buffer.alloc(0);
  #header = "";
  readonly #text = new TextContent();
  size = 0;

  constructor(boundary: string) {
    this.#opening = `--${boundary}\r\n`;
    this.#closing = Buffer.from(`\r\n--${boundary}`);
  }

  /** False if the bytes so far cannot be a form part. */
  push(chunk: Buffer): boolean {
    if (this.#state === "end") return true;
    this.#buffered = this.#buffered.length > 0 ? Buffer.concat([this.#buffered, chunk]) : chunk;
    if (this.#state === "header" && !this.#readHeader()) return this.#buffered.length <= maxHeaderBytes;
    this.#readContent();
    return true;
  }

  /** The metadata of the file; undefined if the form is incomplete or has no file name. */
  metadata(): UploadMetadata | undefined {
    const name = parseFileName(this.#header);
    if (this.#state !== "end" || name === undefined) return undefined;
    const contentType = this.#contentType ?? "application/octet-stream";
    return { name, contentType, size: this.size, checksum: this.#hash.digest("hex") };
  }

  get text(): string {
    return this.#text.value;
  }

  get #contentType(): string | undefined {
    return /^content-type:\s*(\S[^\r\n]*)/im.exec(this.#header)?.[1];
  }

  #readHeader(): boolean {
    const end = this.#buffered.indexOf(headerEnd);
    if (end < 0) return false;
    const header = this.#buffered.toString("utf8", 0, end + 2);
    if (!header.startsWith(this.#opening)) return false;
    this.#header = header.slice(this.#opening.length);
    this.#buffered = this.#buffered.subarray(end + headerEnd.length);
    this.#state = "content";
    return true;
  }

  #readContent(): void {
    const end = this.#buffered.indexOf(this.#closing);
    // The end of the buffer may be the start of the closing boundary, so that many bytes stay buffered.
    const contentLength = end >= 0 ? end : Math.max(0, this.#buffered.length - this.#closing.length + 1);
    const content = this.#buffered.subarray(0, contentLength);
    this.#hash.update(content);
    if (isText(this.#contentType)) this.#text.push(content);
    this.size += contentLength;
    this.#buffered = end >= 0 ? Buffer.alloc(0) : this.#buffered.subarray(contentLength);
    if (end >= 0) this.#state = "end";
  }
}

function parseFileName(header: string): string | undefined {
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
