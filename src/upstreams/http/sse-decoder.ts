import { StringDecoder } from "node:string_decoder";
import { createParser, type EventSourceParser } from "eventsource-parser";
import { GatewayError } from "../../core/errors.js";

/**
 * Decodes server-sent events: bytes in, the `data` of events out, however the bytes are split (kimi-web.md §1.5,
 * moonshot-platform.md A.8). Does not parse the data. Comments are dropped. Call `push` with each chunk, then `next`
 * until it returns undefined.
 */
export class SseDecoder {
  readonly #maxLength: number;
  readonly #service: string;
  readonly #utf8 = new StringDecoder("utf8");
  #hasBegun = false;
  #endedWithCr = false;
  readonly #parser: EventSourceParser;
  readonly #data: string[] = [];
  #nextIndex = 0;
  #isTooLong = false;

  /** `maxLength`: of one event, in characters. `service`: the sender's name in error messages. */
  constructor(maxLength: number, service: string) {
    this.#maxLength = maxLength;
    this.#service = service;
    this.#parser = createParser({
      maxBufferSize: maxLength,
      onEvent: ({ data }) => {
        this.#data.push(data);
      },
      onError: ({ type }) => {
        this.#isTooLong ||= type === "max-buffer-size-exceeded";
      },
    });
  }

  push(chunk: Buffer): void {
    const text = this.#utf8.write(chunk);
    if (text === "") return;
    this.#feed(this.#withLineFeeds(this.#hasBegun ? text : text.replace(/^\ufeff/, "")));
    this.#hasBegun = true;
  }

  /** The text with each line end as LF: the parser searches for the next CR again at each line. */
  #withLineFeeds(text: string): string {
    const rest = this.#endedWithCr && text.startsWith("\n") ? text.slice(1) : text;
    this.#endedWithCr = text.endsWith("\r");
    return rest.includes("\r") ? rest.replace(/\r\n?/g, "\n") : rest;
  }

  /** To be called at the end of the stream: some services leave out the blank line after the last event. */
  end(): void {
    this.#feed("\n\n");
  }

  /** The data of the next complete event, or undefined until more has arrived. Throws `upstream_protocol`. */
  next(): string | undefined {
    const data = this.#data[this.#nextIndex];
    if (data !== undefined) this.#nextIndex++;
    else if (this.#isTooLong) {
      throw new GatewayError(
        "upstream_protocol",
        `${this.#service} sent an event of more than ${this.#maxLength} characters. Is the base URL right?`,
      );
    }
    return data;
  }

  #feed(text: string): void {
    this.#data.length = this.#nextIndex = 0;
    this.#parser.feed(text);
  }
}
