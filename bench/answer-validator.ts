import { answerText, deltaText } from "./answer.js";
import type { Dialect } from "./dialects.js";

/** Validates one answer as its bytes arrive: every event must be JSON, the text exactly the expected, the end complete. */
export class AnswerValidator {
  readonly #dialect: Dialect;
  readonly #expectedText: string;
  readonly #stream: boolean;
  /** Bytes after the last complete event. */
  #rest: Buffer = Buffer.alloc(0);
  #textLength = 0;
  #deltaEnd = deltaText(0).length;
  #hasEnded = false;
  /** The deltas whose text is complete. */
  deltas = 0;

  constructor(dialect: Dialect, { deltas, stream }: { deltas: number; stream: boolean }) {
    this.#dialect = dialect;
    this.#expectedText = answerText(deltas);
    this.#stream = stream;
  }

  /** Throws if the bytes are not what was expected. */
  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const end = this.#stream ? this.#rest.lastIndexOf("\n\n") : -1;
    if (end === -1) return;
    for (const event of this.#rest.toString("utf8", 0, end).split("\n\n")) this.#readEvent(event);
    this.#rest = this.#rest.subarray(end + 2);
  }

  /** To be called at the end of the response. Throws if the answer is incomplete. */
  end(): void {
    if (!this.#stream) this.#addText(this.#dialect.text(JSON.parse(this.#rest.toString("utf8"))));
    const hasEnded = !this.#stream || (this.#hasEnded && this.#rest.length === 0);
    if (!hasEnded || this.#textLength !== this.#expectedText.length)
      throw new Error(`incomplete after ${this.#textLength} of ${this.#expectedText.length} characters`);
  }

  #readEvent(event: string): void {
    if (event.startsWith(":")) return;
    const data = /^(?:event: .*\n)?data: (.*)$/.exec(event)?.[1];
    if (data === undefined || this.#hasEnded) throw new Error(`an unexpected event: ${event.slice(0, 200)}`);
    this.#hasEnded = this.#dialect.isLastEvent(data);
    if (!this.#hasEnded) this.#addText(this.#dialect.text(JSON.parse(data)));
  }

  #addText(text: string): void {
    if (!this.#expectedText.startsWith(text, this.#textLength))
      throw new Error(`wrong text after ${this.#textLength} characters: ${text.slice(0, 200)}`);
    this.#textLength += text.length;
    while (this.#deltaEnd <= this.#textLength) this.#deltaEnd += deltaText(++this.deltas).length;
  }
}
