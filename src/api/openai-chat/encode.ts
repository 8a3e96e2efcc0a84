import { randomUUID } from "node:crypto";
import { type Annotation, CitationWriter } from "../../chat/citations.js";
import type { GatewayError } from "../../core/errors.js";
import type { ChatEvent, FinishReason, ToolCall, Usage } from "../../core/types.js";
import type { Body } from "../stream/chunked-body.js";
import { eventLine, inQuotes, pieces, quote } from "../stream/sse-json.js";
import { errorEnvelope } from "./errors.js";
import { Remarks } from "./notices.js";
import { usageObject } from "./usage.js";
import { VerbatimWriter } from "./verbatim.js";

type ToolCallPiece = Extract<ChatEvent, { type: "tool-call" }>;
export type StartEvent = Extract<ChatEvent, { type: "start" }>;

const finishReasons: Record<FinishReason, string> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
};

/** What every chunk of an answer and the whole answer have in common. */
class Heading {
  readonly id = `chatcmpl-${randomUUID().replaceAll("-", "")}`;
  readonly created = Math.floor(Date.now() / 1_000);
  model = "";
  conversation: string | undefined;

  fields(object: string) {
    const { id, created, model, conversation } = this;
    return { id, object, created, model, ...(conversation ? { conversation_id: conversation } : {}) };
  }
}

type TextField = "content" | "reasoning_content";

/** What stands behind each delta; and behind a piece of text, as bytes already. */
const chunkEnd = ',"logprobs":null,"finish_reason":null}]}\n\n';
const pieceEnd = Buffer.from(`"}${chunkEnd}`);

/** ChatEvents as the lines of a chat completion stream (clients.md §0.1–§0.8, rows 29–36). */
export class ChunkEncoder {
  readonly #heading = new Heading();
  readonly #includeUsage: boolean;
  readonly #citations = new CitationWriter();
  readonly #remarks = new Remarks();
  /** Who answers, once that is known. */
  start: StartEvent | undefined;
  /** What stands in front of each delta; and in front of a piece of text, as bytes already. */
  #chunkBegin = "";
  #pieceBegin: Partial<Record<TextField, Buffer>> = {};
  #usage: Usage | undefined;
  #begun = false;
  #verbatim: VerbatimWriter | undefined;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
  }

  /** Adds the lines for a lot of events; none until there is content, so that a refusal can still have its status. */
  encode(events: readonly ChatEvent[], body: Body): void {
    for (const event of events) this.#event(event, body);
  }

  /** An error line that every parser understands, then the end (clients.md §0.1, row 41). */
  fail(error: GatewayError, body: Body): void {
    body.add(`${eventLine(quote(errorEnvelope(error)))}data: [DONE]\n\n`);
  }

  #event(event: ChatEvent, body: Body): void {
    if (this.#verbatim) {
      body.add(this.#besideVerbatim(event, this.#verbatim));
      return;
    }
    const text = this.#citations.write(event);
    switch (event.type) {
      case "start":
        this.start = event;
        this.#heading.model = event.model;
        this.#settle();
        return;
      case "text":
      case "citation":
        if (text !== "") this.#pieces("content", text, body);
        return;
      case "reasoning":
        this.#pieces("reasoning_content", event.text, body);
        return;
      case "tool-call":
        this.#toolCall(event, body);
        return;
      case "verbatim":
        this.#verbatim = new VerbatimWriter(this.#includeUsage);
        body.add(this.#besideVerbatim(event, this.#verbatim));
        return;
      case "notice":
      case "search":
        this.#remarks.hear(event);
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "finish":
        this.#finish(event.reason, text, body);
        return;
      case "conversation":
        this.#heading.conversation = event.id;
        this.#settle();
        return;
      case "opened":
      case "source":
      case "retract":
        return;
    }
  }

  /** Almost all that is sent: only the text is new each time, the rest is copied. */
  #pieces(field: TextField, text: string, body: Body): void {
    this.#begin(body);
    this.#pieceBegin[field] ??= Buffer.from(`${this.#chunkBegin}{"${field}":"`);
    for (const piece of pieces(text)) body.add(inQuotes(piece), this.#pieceBegin[field], pieceEnd);
  }

  /** The first piece says what is called, the others bring the arguments (clients.md row 36). */
  #toolCall({ index, id, name, arguments: text }: ToolCallPiece, body: Body): void {
    const begin = { index, id, type: "function", function: { name, arguments: "" } };
    const calls = name === undefined ? [] : [begin];
    const more = text === "" ? [] : pieces(text).map((piece) => ({ index, function: { arguments: piece } }));
    for (const call of [...calls, ...more]) this.#delta(`{"tool_calls":[${quote(call)}]}`, body);
  }

  /** The answer is written as the upstream gave it; the plain events only tell how far it is. */
  #besideVerbatim(event: ChatEvent, writer: VerbatimWriter): string {
    switch (event.type) {
      case "verbatim":
        return writer.chunk(this.#remarks.within(event.json), event.usageOnly);
      case "text":
      case "reasoning":
      case "tool-call":
        return writer.said();
      case "notice":
      case "search":
        this.#remarks.hear(event);
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

  #finish(reason: FinishReason, footer: string, body: Body): void {
    this.#begin(body);
    if (footer !== "") this.#pieces("content", footer, body);
    // No `content` key beside annotations: LobeChat and Cherry Studio would miss them (clients.md §0.8).
    const annotations = this.#citations.annotations().map(urlCitation);
    const delta = annotations.length > 0 ? { annotations } : {};
    const last = { ...this.#chunk([choice(delta, finishReasons[reason])]), ...this.#remarks.take() };
    body.add(eventLine(quote(last)));
    if (this.#usage) {
      body.add(eventLine(quote({ ...this.#chunk([]), usage: usageObject(this.#usage) })));
    }
    body.add("data: [DONE]\n\n");
  }

  /** Who speaks is told first, and once. */
  #begin(body: Body): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#delta('{"role":"assistant","content":""}', body);
  }

  #delta(delta: string, body: Body): void {
    this.#begin(body);
    body.add(`${this.#chunkBegin}${delta}${chunkEnd}`);
  }

  /** Prepares what all chunks have in common. */
  #settle(): void {
    const chunk = JSON.stringify(this.#chunk([]));
    this.#chunkBegin = `data: ${chunk.slice(0, -"]}".length)}{"index":0,"delta":`;
    this.#pieceBegin = {};
  }

  #chunk(choices: object[]) {
    return { ...this.#heading.fields("chat.completion.chunk"), choices };
  }
}

/** A whole answer as one chat completion object. */
export class CompletionEncoder {
  readonly #heading = new Heading();
  readonly #citations = new CitationWriter();
  readonly #remarks = new Remarks();
  /** Who answers, once that is known. */
  start: StartEvent | undefined;
  #text = "";
  #reasoning = "";
  #usage: Usage | undefined;
  #reason: FinishReason = "stop";
  readonly #calls = new Map<number, ToolCall>();
  #verbatim: string | undefined;

  hear(events: readonly ChatEvent[]): undefined {
    for (const event of events) this.#hear(event);
  }

  /** The answer as JSON. */
  body(): string {
    if (this.#verbatim !== undefined) return this.#remarks.within(this.#verbatim);
    const annotations = this.#citations.annotations().map(urlCitation);
    const calls = [...this.#calls.values()].map(toolCall);
    const message = {
      role: "assistant",
      content: this.#text === "" && calls.length > 0 ? null : this.#text,
      refusal: null,
      ...(this.#reasoning ? { reasoning_content: this.#reasoning } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...(annotations.length > 0 ? { annotations } : {}),
    };
    return JSON.stringify({
      ...this.#heading.fields("chat.completion"),
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasons[this.#reason] }],
      ...(this.#usage ? { usage: usageObject(this.#usage) } : {}),
      ...this.#remarks.take(),
    });
  }

  #hear(event: ChatEvent): void {
    this.#text += this.#citations.write(event);
    switch (event.type) {
      case "start":
        this.start = event;
        this.#heading.model = event.model;
        return;
      case "reasoning":
        this.#reasoning += event.text;
        return;
      case "tool-call":
        this.#hearCall(event);
        return;
      case "verbatim":
        this.#verbatim = event.json;
        return;
      case "retract":
        // Nothing of it has left yet, so what Kimi withdrew is not delivered at all.
        this.#text = "";
        this.#reasoning = "";
        return;
      case "notice":
      case "search":
        this.#remarks.hear(event);
        return;
      case "conversation":
        this.#heading.conversation = event.id;
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "finish":
        this.#reason = event.reason;
        return;
      case "opened":
      case "text":
      case "source":
      case "citation":
        return;
    }
  }

  #hearCall({ index, id, name, arguments: text }: ToolCallPiece): void {
    const call = this.#calls.get(index) ?? { id: id ?? "", name: name ?? "", arguments: "" };
    this.#calls.set(index, { ...call, arguments: call.arguments + text });
  }
}

function toolCall({ id, name, arguments: text }: ToolCall) {
  return { id, type: "function", function: { name, arguments: text } };
}

function urlCitation({ url, title, start, end }: Annotation) {
  return { type: "url_citation", url_citation: { url, title, start_index: start, end_index: end } };
}

function choice(delta: object, finishReason: string) {
  return { index: 0, delta, logprobs: null, finish_reason: finishReason };
}
