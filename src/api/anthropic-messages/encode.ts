import type { GatewayError } from "../../core/errors.js";
import type { ChatEvent, StartEvent } from "../../core/types.js";
import type { StreamEncoder } from "../stream/stream-answer.js";
import { encodeJson, escapeText, eventStreamType } from "../stream/stream-json.js";
import { AnswerContent, type AnswerContentOptions, type ContentEvent } from "./answer-content.js";
import { AnswerMetadata } from "./answer-metadata.js";
import { errorEnvelope } from "./errors.js";

export type EncoderOptions = AnswerContentOptions & {
  /** That of the response's headers, for errors in the stream. */
  requestId: string;
  /** The model's name until the first event. */
  model: string;
};

/** Encodes events as the named server-sent events of Anthropic's API (clients.md §0.4, §7 row 47). */
export class MessageEncoder implements StreamEncoder {
  readonly contentType = eventStreamType;
  readonly #requestId: string;
  readonly #metadata: AnswerMetadata;
  readonly #content: AnswerContent;
  #isStarted = false;
  /** The beginning of a text delta up to its text, and the block that it is for. */
  #textPrefix = { index: -1, text: "" };

  constructor(options: EncoderOptions) {
    this.#requestId = options.requestId;
    this.#metadata = new AnswerMetadata(options.model);
    this.#content = new AnswerContent(options);
  }

  get start(): StartEvent | undefined {
    return this.#metadata.start;
  }

  /** Empty before the first content: until then an error can set the HTTP status. */
  encode(events: readonly ChatEvent[]): string {
    return events.map((event) => this.#encodeEvent(event)).join("");
  }

  encodeText(text: string): string {
    return this.#begin() + this.#encodeContent(this.#content.appendText(text));
  }

  /** Without `message_stop`, so that the answer does not look like a whole one. */
  encodeError(error: GatewayError): string {
    return namedEvent("error", errorEnvelope(error, this.#requestId));
  }

  /** Every client reads over it, before the first event, too. */
  encodeKeepAlive(): string {
    return namedEvent("ping", { type: "ping" });
  }

  #encodeEvent(event: ChatEvent): string {
    this.#metadata.onEvent(event);
    const content = this.#content.onEvent(event);
    if (event.type === "finish") return this.#begin() + this.#encodeContent(content) + this.#end(event);
    return content.length === 0 ? "" : this.#begin() + this.#encodeContent(content);
  }

  /** `message_start`, once. Its `output_tokens` is 0, since LangChain adds it to the final count (clients.md §3.4). */
  #begin(): string {
    if (this.#isStarted) return "";
    this.#isStarted = true;
    const message = this.#metadata.message({ content: [], searches: this.#content.searches });
    return namedEvent("message_start", { type: "message_start", message });
  }

  #end(finish: Extract<ChatEvent, { type: "finish" }>): string {
    const { searches } = this.#content;
    const delta = { type: "message_delta", ...this.#metadata.messageDelta(finish, searches) };
    return namedEvent("message_delta", delta) + namedEvent("message_stop", { type: "message_stop" });
  }

  #encodeContent(events: readonly ContentEvent[]): string {
    let encoded = "";
    for (const event of events) {
      if (event.type === "content_block_delta" && event.delta.type === "text_delta")
        encoded += this.#textDelta(event.index, event.delta.text);
      else encoded += namedEvent(event.type, event);
    }
    return encoded;
  }

  /** The hot path: the JSON around a text is prepared once for each block. */
  #textDelta(index: number, text: string): string {
    if (this.#textPrefix.index !== index) {
      const name = "content_block_delta";
      const prefix = `event: ${name}\ndata: {"type":"${name}","index":${index},"delta":{"type":"text_delta","text":"`;
      this.#textPrefix = { index, text: prefix };
    }
    return `${this.#textPrefix.text}${escapeText(text)}"}}\n\n`;
  }
}

function namedEvent(name: string, data: object): string {
  return `event: ${name}\ndata: ${encodeJson(data)}\n\n`;
}
