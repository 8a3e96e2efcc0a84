/** Bytes of one text file that are kept. */
const maxBytes = 33_554_432;

/** Whether a file of this content type is a text that the model can read. */
export function isText(contentType: string | undefined): boolean {
  return contentType?.startsWith("text/") ?? false;
}

/** The content of a text file, as far as it is kept. */
export class TextContent {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): void {
    if (this.#size + chunk.length > maxBytes) return;
    this.#size += chunk.length;
    this.#chunks.push(Buffer.from(chunk));
  }

  get value(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

/** Characters of all texts together. */
const maxCharacters = 67_108_864;

/** The texts of uploaded files, by file id; the oldest are dropped when they grow too large. */
export class FileTexts {
  readonly #texts = new Map<string, string>();
  #characters = 0;

  set(id: string, text: string): void {
    if (text === "") return;
    this.#texts.set(id, text);
    this.#characters += text.length;
    for (const [oldest, dropped] of this.#texts) {
      if (this.#characters <= maxCharacters || oldest === id) return;
      this.#texts.delete(oldest);
      this.#characters -= dropped.length;
    }
  }

  get(id: string): string | undefined {
    return this.#texts.get(id);
  }
}
