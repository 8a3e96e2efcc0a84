import { StringDecoder } from "node:string_decoder";
import { createParser, type EventSourceParser } from "eventsource-parser";
import { GatewayError } from "../../core/errors.js";

/**
 * Cuts a byte stream into the data of its events, however it was split on the way (kimi-web.md §1.5,
 * moonshot-platform.md A.8). Never looks inside the data; comments are left out. `push` what arrived, then take data
 * with `next` until there is none.
 */
export class EventDecoder {
  readonly #maxLength: number;
  readonly #service: string;
  readonly #text = new StringDecoder("utf8");
  #hasBegun = false;
  readonly #parser: EventSourceParser;
  readonly #data: string[] = [];
  #taken = 0;
  #tooLong = false;

  /** `maxLength`: of one event, in characters. `service`: what an error calls whoever sends more. */
  constructor(maxLength: number, service: string) {
    this.#maxLength = maxLength;
    this.#service = service;
    this.#parser = createParser({
      maxBufferSize: maxLength,
      onEvent: ({ data }) => {
        this.#data.push(data);
      },
      onError: ({ type }) => {
        this.#tooLong ||= type === "max-buffer-size-exceeded";
      },
    });
  }

  push(chunk: Buffer): void {
    const text = this.#text.write(chunk);
    if (text === "") return;
    this.#feed(this.#hasBegun ? text : text.replace(/^\ufeff/, ""));
    this.#hasBegun = true;
  }

  /** The stream has ended: some leave out the blank line behind the last event. */
  end(): void {
    this.#feed("\n\n");
  }

  /** The data of the next complete event, or undefined until more has arrived. Throws `upstream_protocol`. */
  next(): string | undefined {
    const data = this.#data[this.#taken];
    if (data !== undefined) this.#taken++;
    else if (this.#tooLong) {
      throw new GatewayError(
        "upstream_protocol",
        `${this.#service} sent an event of more than ${this.#maxLength} characters. Is the base URL right?`,
      );
    }
    return data;
  }

  #feed(text: string): void {
    this.#data.length = this.#taken = 0;
    this.#parser.feed(text);
  }
}
