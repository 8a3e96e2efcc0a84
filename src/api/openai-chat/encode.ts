import { randomUUID } from "node:crypto";
import { type Annotation, CitationWriter } from "../../chat/citations.js";
import type { GatewayError } from "../../core/errors.js";
import type { ChatEvent, FinishReason, StartEvent, ToolCall, Usage } from "../../core/types.js";
import { NoticeCollector } from "../notices.js";
import type { StreamEncoder } from "../stream/stream-answer.js";
import { encodeEvent, encodeJson, escapeText, eventStreamType, splitText } from "../stream/stream-json.js";
import { type CallForm, callDeltas, callFields, finishReason } from "./call-fields.js";
import { errorEnvelope } from "./errors.js";
import { usageObject } from "./usage.js";
import { VerbatimWriter } from "./verbatim.js";

type ToolCallEvent = Extract<ChatEvent, { type: "tool-call" }>;

/** An `id` for one answer. */
export function createCompletionId(): string {
  return `chatcmpl-${randomUUID().replaceAll("-", "")}`;
}

/** The fields that all chunks of an answer, or the whole answer, have in common. */
class CompletionMetadata {
  readonly id: string;
  readonly created = Math.floor(Date.now() / 1_000);
  model = "";
  conversation: string | undefined;

  constructor(id: string) {
    this.id = id;
  }

  fields(object: string) {
    const { id, created, model, conversation } = this;
    return { id, object, created, model, ...(conversation ? { conversation_id: conversation } : {}) };
  }
}

type TextField = "content" | "reasoning_content";

/** The end of a chunk after its delta. */
const chunkSuffix = ',"logprobs":null,"finish_reason":null}]}\n\n';
/** The end of a text chunk after its text. */
const textSuffix = `"}${chunkSuffix}`;

/** Encodes events as server-sent chat completion chunks (clients.md §0.1–§0.8, §7 rows 29–36). */
export class ChunkEncoder implements StreamEncoder {
  readonly contentType = eventStreamType;
  readonly #metadata: CompletionMetadata;
  readonly #includeUsage: boolean;
  readonly #callForm: CallForm;
  readonly #citations = new CitationWriter();
  readonly #notices = new NoticeCollector();
  /** Undefined until the first event. */
  start: StartEvent | undefined;
  /** The beginning of a chunk up to its delta. */
  #chunkPrefix = "";
  /** The beginning of a text chunk up to its text, for each field. */
  #textPrefixes: Partial<Record<TextField, string>> = {};
  #usage: Usage | undefined;
  #isRoleSent = false;
  #verbatim: VerbatimWriter | undefined;

  constructor(includeUsage: boolean, id = createCompletionId(), callForm: CallForm = "tool_calls") {
    this.#metadata = new CompletionMetadata(id);
    this.#includeUsage = includeUsage;
    this.#callForm = callForm;
  }

  /** The chunks of a batch. Empty before the first content: until then an error can set the HTTP status. */
  encode(events: readonly ChatEvent[]): string {
    let chunks = "";
    for (const event of events) chunks += this.#encodeEvent(event);
    return chunks;
  }

  /** A text as a content delta. */
  encodeText(text: string): string {
    if (this.#verbatim) return this.#verbatim.writeText(text);
    // Without a `start` event: a failure while the request still waits.
    if (this.#chunkPrefix === "") this.#updatePrefixes();
    return this.#text("content", text);
  }

  /** An error event that every client parses, then `[DONE]` (clients.md §0.1, §7 row 41). */
  encodeError(error: GatewayError): string {
    return `${encodeEvent(encodeJson(errorEnvelope(error)))}data: [DONE]\n\n`;
  }

  encodeKeepAlive(): string {
    return ": keep-alive\n\n";
  }

  #encodeEvent(event: ChatEvent): string {
    if (this.#verbatim) return this.#encodeVerbatim(event, this.#verbatim);
    const text = this.#citations.write(event);
    switch (event.type) {
      case "start":
        this.start = event;
        this.#metadata.model = event.model;
        this.#updatePrefixes();
        return "";
      case "text":
      case "citation":
        return text === "" ? "" : this.#text("content", text);
      case "reasoning":
        return this.#text("reasoning_content", event.text);
      case "tool-call":
        return this.#toolCall(event);
      case "verbatim":
        this.#verbatim = new VerbatimWriter(this.#includeUsage);
        return this.#encodeVerbatim(event, this.#verbatim);
      case "notice":
      case "search":
        this.#notices.add(event);
        return "";
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish":
        return this.#finish(event.reason, text);
      case "conversation":
        this.#metadata.conversation = event.id;
        this.#updatePrefixes();
        return "";
      case "chat-opened":
      case "source":
      case "service-tool":
      case "retract":
        return "";
    }
  }

  /** The hot path: the prepared JSON around a text is 1.3 × as fast in bursts as `JSON.stringify` of the chunk. */
  #text(field: TextField, text: string): string {
    this.#textPrefixes[field] ??= `${this.#chunkPrefix}{"${field}":"`;
    let chunks = this.#role();
    for (const piece of splitText(text)) chunks += this.#textPrefixes[field] + escapeText(piece) + textSuffix;
    return chunks;
  }

  #toolCall(event: ToolCallEvent): string {
    const deltas = callDeltas(event, this.#callForm).map((delta) => this.#delta(encodeJson(delta)));
    return this.#role() + deltas.join("");
  }

  /**
   * For an upstream that sends chunks of this dialect: returns these unchanged. Text events only release the chunk that
   * was held back; notices, searches and usage are collected.
   */
  #encodeVerbatim(event: ChatEvent, writer: VerbatimWriter): string {
    switch (event.type) {
      case "verbatim":
        return writer.writeChunk(this.#notices.mergeInto(event.json), event.usageOnly);
      case "text":
      case "reasoning":
      case "tool-call":
        return writer.flush();
      case "notice":
      case "search":
        this.#notices.add(event);
        return "";
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish":
        return writer.end(this.#usage);
      default:
        return "";
    }
  }

  #finish(reason: FinishReason, footer: string): string {
    const before = footer === "" ? this.#role() : this.#text("content", footer);
    // No `content` key beside annotations: LobeChat and Cherry Studio would miss them (clients.md §0.8).
    const annotations = this.#citations.annotations().map(annotationObject);
    const delta = annotations.length > 0 ? { annotations } : {};
    const last = {
      ...this.#chunk([choiceObject(delta, finishReason(reason, this.#callForm))]),
      ...this.#notices.takeFields(),
    };
    const usage = this.#usage && { ...this.#chunk([]), usage: usageObject(this.#usage) };
    const usageChunk = usage ? encodeEvent(encodeJson(usage)) : "";
    return `${before}${encodeEvent(encodeJson(last))}${usageChunk}data: [DONE]\n\n`;
  }

  /** The role as the first delta; empty after that. */
  #role(): string {
    if (this.#isRoleSent) return "";
    this.#isRoleSent = true;
    return this.#delta('{"role":"assistant","content":""}');
  }

  #delta(delta: string): string {
    return `${this.#chunkPrefix}${delta}${chunkSuffix}`;
  }

  /** Encodes the fields that all chunks have in common. */
  #updatePrefixes(): void {
    const chunk = JSON.stringify(this.#chunk([]));
    this.#chunkPrefix = `data: ${chunk.slice(0, -"]}".length)}{"index":0,"delta":`;
    this.#textPrefixes = {};
  }

  #chunk(choices: object[]) {
    return { ...this.#metadata.fields("chat.completion.chunk"), choices };
  }
}

/** Collects a whole answer into one chat completion object. */
export class CompletionEncoder {
  readonly #metadata: CompletionMetadata;
  readonly #callForm: CallForm;
  readonly #citations = new CitationWriter();
  readonly #notices = new NoticeCollector();
  /** Undefined until the first event. */
  start: StartEvent | undefined;
  #text = "";
  #reasoning = "";
  #usage: Usage | undefined;
  #reason: FinishReason = "stop";
  readonly #toolCalls = new Map<number, ToolCall>();
  #verbatim: string | undefined;

  constructor(id = createCompletionId(), callForm: CallForm = "tool_calls") {
    this.#metadata = new CompletionMetadata(id);
    this.#callForm = callForm;
  }

  onEvents(events: readonly ChatEvent[]): undefined {
    for (const event of events) this.#onEvent(event);
  }

  /** The answer as JSON. */
  toJson(): string {
    if (this.#verbatim !== undefined) return this.#notices.mergeInto(this.#verbatim);
    const annotations = this.#citations.annotations().map(annotationObject);
    const calls = [...this.#toolCalls.values()];
    const message = {
      role: "assistant",
      content: this.#text === "" && calls.length > 0 ? null : this.#text,
      refusal: null,
      ...(this.#reasoning ? { reasoning_content: this.#reasoning } : {}),
      ...callFields(calls, this.#callForm),
      ...(annotations.length > 0 ? { annotations } : {}),
    };
    return JSON.stringify({
      ...this.#metadata.fields("chat.completion"),
      choices: [
        { index: 0, message, logprobs: null, finish_reason: finishReason(this.#reason, this.#callForm) },
      ],
      ...(this.#usage ? { usage: usageObject(this.#usage) } : {}),
      ...this.#notices.takeFields(),
    });
  }

  #onEvent(event: ChatEvent): void {
    this.#text += this.#citations.write(event);
    switch (event.type) {
      case "start":
        this.start = event;
        this.#metadata.model = event.model;
        return;
      case "reasoning":
        this.#reasoning += event.text;
        return;
      case "tool-call":
        this.#addToolCall(event);
        return;
      case "verbatim":
        this.#verbatim = event.json;
        return;
      case "retract":
        // Nothing was sent yet, so a withdrawn answer is not delivered at all.
        this.#text = "";
        this.#reasoning = "";
        return;
      case "notice":
      case "search":
        this.#notices.add(event);
        return;
      case "conversation":
        this.#metadata.conversation = event.id;
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "finish":
        this.#reason = event.reason;
        return;
      case "chat-opened":
      case "text":
      case "source":
      case "citation":
        return;
    }
  }

  #addToolCall({ index, id, name, arguments: text }: ToolCallEvent): void {
    const call = this.#toolCalls.get(index) ?? { id: id ?? "", name: name ?? "", arguments: "" };
    this.#toolCalls.set(index, { ...call, arguments: call.arguments + text });
  }
}

function annotationObject({ url, title, start, end }: Annotation) {
  return { type: "url_citation", url_citation: { url, title, start_index: start, end_index: end } };
}

function choiceObject(delta: object, finishReason: string) {
  return { index: 0, delta, logprobs: null, finish_reason: finishReason };
}
