import { randomUUID } from "node:crypto";
import type { FileContent } from "../../core/types.js";

/** A multipart form with one file, streamed as the file is read, never whole in memory (kimi-web.md §2.8). */
export class MultipartFileForm {
  readonly #file: FileContent;
  readonly #head: Buffer;
  readonly #tail: Buffer;
  readonly headers: Record<string, string>;

  constructor(file: FileContent) {
    const boundary = `moonbridge-${randomUUID()}`;
    const disposition = `form-data; name="file"; filename="${escapeFileName(file.name)}"`;
    this.#file = file;
    this.#head = Buffer.from(
      `--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: ${file.mediaType}\r\n\r\n`,
    );
    this.#tail = Buffer.from(`\r\n--${boundary}--\r\n`);
    this.headers = {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(this.#head.length + file.size + this.#tail.length),
    };
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    yield this.#head;
    yield* this.#file.read();
    yield this.#tail;
  }
}

/** Encodes a file name as browsers do in forms: line breaks and quotes are percent-encoded. */
function escapeFileName(name: string): string {
  return name.replace(/[\r\n"]/g, (character) => encodeURIComponent(character));
}
