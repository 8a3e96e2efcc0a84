import { createParser } from "eventsource-parser";
import { ChatError } from "../../chat/errors.js";

/** Server-sent events out of bytes, however those are cut up (moonshot-platform.md A.8). Comments are left out. */
export class EventDecoder {
  readonly #text = new TextDecoder();
  readonly #data: string[] = [];
  readonly #parser;
  #tooLong = false;

  /** An event may have so many characters. */
  constructor(limit: number) {
    this.#parser = createParser({
      maxBufferSize: limit,
      onEvent: ({ data }) => this.#data.push(data),
      onError: ({ type }) => {
        this.#tooLong ||= type === "max-buffer-size-exceeded";
      },
    });
  }

  /** The data of the events that these bytes complete. Throws `upstream_protocol` where one is too long. */
  push(bytes: Buffer): string[] {
    this.#parser.feed(this.#text.decode(bytes, { stream: true }));
    if (this.#tooLong) {
      throw new ChatError("upstream_protocol", "The service sent an event that is far too long.");
    }
    return this.#data.splice(0);
  }

  /** The data of a last event that the end of the stream completes: some leave out the blank line behind it. */
  end(): string[] {
    this.#parser.feed("\n\n");
    return this.#data.splice(0);
  }
}
