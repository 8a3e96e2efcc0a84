import { randomUUID } from "node:crypto";
import { type Annotation, CitationWriter } from "../../chat/citations.js";
import type { ChatError } from "../../chat/errors.js";
import type { ChatEvent, FinishReason, Usage } from "../../chat/types.js";
import { limits } from "../../config/limits.js";
import { errorEnvelope } from "./errors.js";

export type StartEvent = Extract<ChatEvent, { type: "start" }>;

type Notice = { code: string; message: string };

const finishReasons: Record<FinishReason, string> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
};

/** A character takes at most six bytes in JSON, so a piece this long stays under the line limit. */
const longestPiece = Math.floor((limits.eventLine - 1_000) / 6);

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
  readonly #notices: Notice[] = [];
  /** Who answers, once that is known. */
  start: StartEvent | undefined;
  #prefix = "";
  #usage: Usage | undefined;
  #begun = false;

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
    return `data: ${JSON.stringify(errorEnvelope(error))}\n\ndata: [DONE]\n\n`;
  }

  #event(event: ChatEvent): string {
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
      case "notice":
        this.#notices.push({ code: event.code, message: event.message });
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
      case "search":
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
    if (text.length <= longestPiece) return this.#delta(`{"${field}":${quote(text)}}`);
    let bytes = "";
    for (let at = 0; at < text.length; ) {
      const end = pieceEnd(text, at);
      bytes += this.#delta(`{"${field}":${quote(text.slice(at, end))}}`);
      at = end;
    }
    return bytes;
  }

  #finish(reason: FinishReason, footer: string): string {
    // No `content` key beside annotations: LobeChat and Cherry Studio would miss them (clients.md §0.8).
    const annotations = this.#citations.annotations().map(urlCitation);
    const delta = annotations.length > 0 ? { annotations } : {};
    const notices = this.#notices.length > 0 ? { moonbridge_notices: this.#notices } : {};
    const usage =
      this.#includeUsage && this.#usage
        ? `data: ${JSON.stringify({ ...this.#chunk([]), usage: usageObject(this.#usage) })}\n\n`
        : "";
    return (
      this.#begin() +
      (footer ? this.#pieces("content", footer) : "") +
      `data: ${JSON.stringify({ ...this.#chunk([choice(delta, finishReasons[reason])]), ...notices })}\n\n` +
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
  readonly #notices: Notice[] = [];
  /** Who answers, once that is known. */
  start: StartEvent | undefined;
  #text = "";
  #reasoning = "";
  #usage: Usage | undefined;
  #reason: FinishReason = "stop";

  hear(events: readonly ChatEvent[]): void {
    for (const event of events) this.#hear(event);
  }

  body() {
    const annotations = this.#citations.annotations().map(urlCitation);
    const message = {
      role: "assistant",
      content: this.#text,
      refusal: null,
      ...(this.#reasoning ? { reasoning_content: this.#reasoning } : {}),
      ...(annotations.length > 0 ? { annotations } : {}),
    };
    return {
      ...this.#heading.fields("chat.completion"),
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasons[this.#reason] }],
      ...(this.#usage ? { usage: usageObject(this.#usage) } : {}),
      ...(this.#notices.length > 0 ? { moonbridge_notices: this.#notices } : {}),
    };
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
      case "retract":
        // Nothing of it has left yet, so what Kimi withdrew is not delivered at all.
        this.#text = "";
        this.#reasoning = "";
        return;
      case "notice":
        this.#notices.push({ code: event.code, message: event.message });
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
      case "search":
      case "source":
      case "citation":
        return;
    }
  }
}

function urlCitation({ url, title, start, end }: Annotation) {
  return { type: "url_citation", url_citation: { url, title, start_index: start, end_index: end } };
}

function choice(delta: object, finishReason: string) {
  return { index: 0, delta, logprobs: null, finish_reason: finishReason };
}

/** OpenAI's usage object and Moonshot's top-level `cached_tokens` (clients.md row 34). */
function usageObject({ input, output, reasoning, cached, estimated }: Usage) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
    cached_tokens: cached,
    ...(estimated ? { estimated: true } : {}),
  };
}

const lineBreaking = /[\u0085\u2028\u2029]/g;

/** JSON text that no line reader breaks: some split at more characters than LF. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    lineBreaking,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function pieceEnd(text: string, from: number): number {
  const end = Math.min(from + longestPiece, text.length);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}
