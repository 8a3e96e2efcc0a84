import { randomUUID } from "node:crypto";
import { type Annotation, CitationWriter } from "../../chat/citations.js";
import type { ChatError } from "../../chat/errors.js";
import type { ChatEvent, FinishReason, ToolCall, Usage } from "../../chat/types.js";
import { errorEnvelope } from "./errors.js";
import { eventLine, pieces, quote } from "./lines.js";
import { Remarks } from "./remarks.js";
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

/** ChatEvents as the lines of a chat completion stream (clients.md §0.1–§0.8, rows 29–36). */
export class ChunkEncoder {
  readonly #heading = new Heading();
  readonly #includeUsage: boolean;
  readonly #citations = new CitationWriter();
  readonly #remarks = new Remarks();
  /** Who answers, once that is known. */
  start: StartEvent | undefined;
  #prefix = "";
  #usage: Usage | undefined;
  #begun = false;
  #verbatim: VerbatimWriter | undefined;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
  }

  /** The bytes for a lot of events; empty until there is content, so that a refusal can still have its status. */
  encode(events: readonly ChatEvent[]): string {
    let bytes = "";
    for (const event of events) bytes += this.#event(event);
    return bytes;
  }

  /** An error line that every parser understands, then the end (clients.md §0.1, row 41). */
  fail(error: ChatError): string {
    return `${eventLine(quote(errorEnvelope(error)))}data: [DONE]\n\n`;
  }

  #event(event: ChatEvent): string {
    if (this.#verbatim) return this.#besideVerbatim(event, this.#verbatim);
    const text = this.#citations.write(event);
    switch (event.type) {
      case "start":
        this.start = event;
        this.#heading.model = event.model;
        this.#prefix = this.#chunkPrefix();
        return "";
      case "text":
      case "citation":
        return text === "" ? "" : this.#begin() + this.#pieces("content", text);
      case "reasoning":
        return this.#begin() + this.#pieces("reasoning_content", event.text);
      case "tool-call":
        return this.#begin() + this.#toolCall(event);
      case "verbatim":
        this.#verbatim = new VerbatimWriter(this.#includeUsage);
        return this.#besideVerbatim(event, this.#verbatim);
      case "notice":
      case "search":
        this.#remarks.hear(event);
        return "";
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish":
        return this.#finish(event.reason, text);
      case "conversation":
        this.#heading.conversation = event.id;
        this.#prefix = this.#chunkPrefix();
        return "";
      case "opened":
      case "source":
      case "retract":
        return "";
    }
  }

  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    return this.#delta('{"role":"assistant","content":""}');
  }

  #pieces(field: "content" | "reasoning_content", text: string): string {
    let deltas = "";
    for (const piece of pieces(text)) deltas += this.#delta(`{"${field}":${quote(piece)}}`);
    return deltas;
  }

  /** The first piece says what is called, the others bring the arguments (clients.md row 36). */
  #toolCall({ index, id, name, arguments: text }: ToolCallPiece): string {
    const begin = { index, id, type: "function", function: { name, arguments: "" } };
    const calls = name === undefined ? [] : [begin];
    const more = text === "" ? [] : pieces(text).map((piece) => ({ index, function: { arguments: piece } }));
    return [...calls, ...more].map((call) => this.#delta(`{"tool_calls":[${quote(call)}]}`)).join("");
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

  #finish(reason: FinishReason, footer: string): string {
    // No `content` key beside annotations: LobeChat and Cherry Studio would miss them (clients.md §0.8).
    const annotations = this.#citations.annotations().map(urlCitation);
    const delta = annotations.length > 0 ? { annotations } : {};
    const usage = this.#usage
      ? eventLine(quote({ ...this.#chunk([]), usage: usageObject(this.#usage) }))
      : "";
    return (
      this.#begin() +
      (footer ? this.#pieces("content", footer) : "") +
      eventLine(quote({ ...this.#chunk([choice(delta, finishReasons[reason])]), ...this.#remarks.take() })) +
      `${usage}data: [DONE]\n\n`
    );
  }

  /** The constant part of a chunk is prepared once; only the delta is new each time. */
  #delta(delta: string): string {
    return `${this.#prefix}${delta},"logprobs":null,"finish_reason":null}]}\n\n`;
  }

  #chunkPrefix(): string {
    const chunk = JSON.stringify(this.#chunk([]));
    return `data: ${chunk.slice(0, -"]}".length)}{"index":0,"delta":`;
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
