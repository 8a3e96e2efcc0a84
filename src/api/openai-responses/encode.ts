import type { GatewayError } from "../../core/errors.js";
import type { ChatEvent, FinishReason, StartEvent } from "../../core/types.js";
import type { StreamEncoder } from "../stream/stream-answer.js";
import { encodeJson, escapeText, eventStreamType } from "../stream/stream-json.js";
import { errorEventFields } from "./errors.js";
import type { ItemEvent, ItemSource } from "./output-item.js";
import type { ResponseMetadata, ResponseObject } from "./response-object.js";

/** What both forms of an answer take from its events. */
class AnswerReader {
  readonly metadata: ResponseMetadata;
  readonly items: ItemSource;
  /** Whether searches are items, and no field of Moonbridge's own. */
  readonly #showsSearches: boolean;
  reason: FinishReason = "stop";

  constructor({ metadata, items, showsSearches }: EncodeOptions) {
    this.metadata = metadata;
    this.items = items;
    this.#showsSearches = showsSearches;
  }

  get start(): StartEvent | undefined {
    return this.metadata.facts.start;
  }

  read(event: ChatEvent): ItemEvent[] {
    if (!this.#isLeftOut(event)) this.metadata.facts.onEvent(event);
    if (event.type === "finish") {
      this.reason = event.reason;
      this.metadata.keepNotices();
    }
    return this.items.onEvent(event);
  }

  #isLeftOut(event: ChatEvent): boolean {
    if (event.type === "search") return this.#showsSearches;
    // Every request here has its whole history, that of earlier answers included.
    return event.type === "notice" && event.code === "conversation_unknown";
  }

  /** The whole response, once it has finished. */
  response(): ResponseObject {
    // What the service has withdrawn is no part of the answer.
    const output = this.reason === "content-filter" ? [] : this.items.items;
    return this.metadata.finished(this.reason, output);
  }
}

/** Options of both encoders. `showsSearches`: whether `items` has them. */
export type EncodeOptions = { metadata: ResponseMetadata; items: ItemSource; showsSearches: boolean };

/**
 * Encodes events as those of OpenAI's Responses API: with names, and numbers without gaps (clients.md §0.4, §7 rows 28 and
 * 52). Deltas stay below `limits.sseLine`; the events at the end of an item repeat all of it, as OpenAI's do.
 */
export class ResponseStreamEncoder implements StreamEncoder {
  readonly contentType = eventStreamType;
  readonly #answer: AnswerReader;
  #number = 0;
  #isOpen = false;
  #mustOpen = false;
  /** The batch that ends the answer, and its events but the last one, once `prepareEnd` was called. */
  #end: { events: readonly ChatEvent[]; text: string } | undefined;
  /** The beginning of the deltas of one text, up to their number and up to their text. */
  #textDelta: { itemId: unknown; head: string; place: string } | undefined;

  constructor(options: EncodeOptions) {
    this.#answer = new AnswerReader(options);
  }

  get start(): StartEvent | undefined {
    return this.#answer.start;
  }

  /**
   * Reads the batch that ends the answer, which `encode` then gets as well, and returns the whole response: it is kept
   * before the client knows of it.
   */
  prepareEnd(events: readonly ChatEvent[]): ResponseObject {
    this.#end = { events, text: this.#encodeAll(events) };
    return this.#answer.response();
  }

  encode(events: readonly ChatEvent[]): string {
    const before = this.#mustOpen ? this.#open() : "";
    const prepared = this.#end?.events === events ? this.#end.text : undefined;
    const text = before + (prepared ?? this.#encodeAll(events));
    if (events.at(-1)?.type !== "finish") return text;
    const response = this.#answer.response();
    return text + this.#event(`response.${response.status}`, { response });
  }

  /** Lets the next batch begin the stream, whatever is in it: an error then is an event, and no HTTP status. */
  beginWithNextBatch(): void {
    this.#mustOpen = true;
  }

  /** The events that begin the stream; empty if it has begun. */
  #open(): string {
    if (this.#isOpen) return "";
    this.#isOpen = true;
    const response = this.#answer.metadata.inProgress();
    return this.#event("response.created", { response }) + this.#event("response.in_progress", { response });
  }

  encodeText(text: string): string {
    return this.#encodeAll([{ type: "text", text }]);
  }

  /**
   * Two events, as OpenAI sends them: `response.failed` ends the stream, but SDKs and LobeChat fail on `error` alone
   * (clients.md §2.2, §3.1).
   */
  encodeError(error: GatewayError): string {
    const response = this.#answer.metadata.failed(error, this.#answer.items.items);
    const events = this.#open() + this.#event("error", errorEventFields(error));
    return events + this.#event("response.failed", { response });
  }

  /** An event of its own: comments do not reset the idle timer of Codex (clients.md §0.4). SDKs expect another one first. */
  encodeKeepAlive(): string {
    return this.#isOpen ? this.#event("keepalive", {}) : this.#open();
  }

  #encodeAll(events: readonly ChatEvent[]): string {
    let text = "";
    for (const event of events)
      for (const itemEvent of this.#answer.read(event)) text += this.#open() + this.#itemEvent(itemEvent);
    return text;
  }

  /** The hot path: the prepared JSON around a delta is cheaper than `JSON.stringify` of the event. */
  #itemEvent({ type, ...fields }: ItemEvent): string {
    const { delta, item_id } = fields;
    if (type !== "response.output_text.delta" || typeof delta !== "string") return this.#event(type, fields);
    const known = this.#textDelta?.itemId === item_id ? this.#textDelta : undefined;
    const { head, place } = known ?? prepareTextDelta(fields);
    if (!known) this.#textDelta = { itemId: item_id, head, place };
    return `${head}${this.#number++},${place}${escapeText(delta)}","logprobs":[]}\n\n`;
  }

  #event(type: string, fields: Record<string, unknown>): string {
    const json = encodeJson({ type, sequence_number: this.#number++, ...fields });
    return `event: ${type}\ndata: ${json}\n\n`;
  }
}

/** The JSON of a text delta up to its number, and from there to its text. */
function prepareTextDelta(fields: Record<string, unknown>): { head: string; place: string } {
  const type = "response.output_text.delta";
  const json = encodeJson({ ...fields, delta: "" });
  const beforeText = '"delta":"';
  return {
    head: `event: ${type}\ndata: {"type":"${type}","sequence_number":`,
    place: json.slice(1, json.indexOf(beforeText) + beforeText.length),
  };
}

/** Collects a whole answer into one response object. */
export class ResponseCollector {
  readonly #answer: AnswerReader;

  constructor(options: EncodeOptions) {
    this.#answer = new AnswerReader(options);
  }

  get start(): StartEvent | undefined {
    return this.#answer.start;
  }

  onEvents(events: readonly ChatEvent[]): undefined {
    for (const event of events) this.#answer.read(event);
  }

  response(): ResponseObject {
    return this.#answer.response();
  }
}
