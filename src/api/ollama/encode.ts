import type { GatewayError } from "../../core/errors.js";
import type { ChatEvent, FinishReason, StartEvent } from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import { parseCallArguments } from "../call-arguments.js";
import { AnswerBlocks, type BlockEvent } from "../stream/answer-blocks.js";
import { AnswerFacts } from "../stream/answer-facts.js";
import type { StreamEncoder } from "../stream/stream-answer.js";
import { encodeJson, splitText } from "../stream/stream-json.js";
import { encodeContext } from "./context.js";
import { errorBody } from "./errors.js";

/** What a record adds to the answer. */
type Piece = { content?: string; thinking?: string; toolCalls?: WireToolCall[] };
type WireToolCall = { id: string; function: { index: number; name: string; arguments: JsonObject } };

/** Where the two routes have the answer in their records. */
export type RecordForm = {
  answer(piece: Piece): object;
  /** Fields of the last record that name the conversation. */
  conversation(id: string): object;
};

export const chatRecords: RecordForm = {
  answer: ({ content = "", thinking, toolCalls }) => ({
    message: {
      role: "assistant",
      content,
      ...(thinking ? { thinking } : {}),
      ...(toolCalls?.length ? { tool_calls: toolCalls } : {}),
    },
  }),
  conversation: () => ({}),
};

export const generateRecords: RecordForm = {
  answer: ({ content = "", thinking }) => ({ response: content, ...(thinking ? { thinking } : {}) }),
  conversation: (id) => ({ context: encodeContext(id) }),
};

const doneReasons: Record<FinishReason, string> = {
  stop: "stop",
  length: "length",
  "tool-calls": "stop",
  "content-filter": "content_filter",
};

/** What the records of an answer have in common, and what its last one tells. */
class AnswerMetadata {
  readonly #form: RecordForm;
  readonly #facts: AnswerFacts;
  readonly #startedAt = performance.now();
  #firstContentAt: number | undefined;

  constructor(form: RecordForm, model: string) {
    this.#form = form;
    this.#facts = new AnswerFacts(model);
  }

  get start(): StartEvent | undefined {
    return this.#facts.start;
  }

  /** Keeps what belongs into the last record. */
  onEvent(event: ChatEvent): void {
    this.#facts.onEvent(event);
    const isContent = event.type === "text" || event.type === "reasoning" || event.type === "tool-call";
    if (isContent) this.#firstContentAt ??= performance.now();
  }

  record(piece: Piece): object {
    return { ...this.#fields(piece), done: false };
  }

  /** The last record; durations are nanoseconds. */
  lastRecord(piece: Piece, reason: FinishReason): object {
    const now = performance.now();
    const firstContentAt = this.#firstContentAt ?? now;
    const { usage, conversation, notices } = this.#facts;
    const { input = 0, output = 0 } = usage ?? {};
    return {
      ...this.#fields(piece),
      done: true,
      done_reason: doneReasons[reason],
      total_duration: nanoseconds(now - this.#startedAt),
      load_duration: 0,
      prompt_eval_count: input,
      prompt_eval_duration: nanoseconds(firstContentAt - this.#startedAt),
      eval_count: output,
      eval_duration: nanoseconds(now - firstContentAt),
      ...(conversation === undefined ? {} : this.#form.conversation(conversation)),
      ...notices.takeFields(),
    };
  }

  #fields(piece: Piece): object {
    return { model: this.#facts.model, created_at: new Date().toISOString(), ...this.#form.answer(piece) };
  }
}

/** The answer to a request without messages, which asks Ollama to load a model, or with `keep_alive: 0` to unload it. */
export function loadRecord(form: RecordForm, model: string, keepAlive: unknown): object {
  const isUnload = keepAlive === 0 || keepAlive === "0";
  return {
    model,
    created_at: new Date().toISOString(),
    ...form.answer({}),
    done: true,
    done_reason: isUnload ? "unload" : "load",
  };
}

/** Encodes events as JSON lines: a record for each delta, and one with `done: true` at the end. */
export class LineEncoder implements StreamEncoder {
  readonly contentType = "application/x-ndjson";
  readonly #metadata: AnswerMetadata;
  readonly #pieces = new AnswerPieces();

  /** `model`: its name until the first event. */
  constructor(form: RecordForm, model: string) {
    this.#metadata = new AnswerMetadata(form, model);
  }

  get start(): StartEvent | undefined {
    return this.#metadata.start;
  }

  encode(events: readonly ChatEvent[]): string {
    return events.map((event) => this.#encodeEvent(event)).join("");
  }

  encodeText(content: string): string {
    return this.#line(this.#metadata.record({ content }));
  }

  /** Without a record that is done, so that the answer does not look like a whole one. */
  encodeError(error: GatewayError): string {
    return this.#line(errorBody(error));
  }

  encodeKeepAlive(): string {
    return this.#line(this.#metadata.record({}));
  }

  #encodeEvent(event: ChatEvent): string {
    this.#metadata.onEvent(event);
    const lines = this.#pieces
      .onEvent(event)
      .map((piece) => this.#line(this.#metadata.record(piece)))
      .join("");
    return event.type === "finish" ? lines + this.#line(this.#metadata.lastRecord({}, event.reason)) : lines;
  }

  #line(record: object): string {
    return `${encodeJson(record)}\n`;
  }
}

/** Collects a whole answer into one record. */
export class RecordCollector {
  readonly #metadata: AnswerMetadata;
  readonly #pieces = new AnswerPieces();
  #content = "";
  #thinking = "";
  #toolCalls: WireToolCall[] = [];
  #reason: FinishReason = "stop";

  constructor(form: RecordForm, model: string) {
    this.#metadata = new AnswerMetadata(form, model);
  }

  get start(): StartEvent | undefined {
    return this.#metadata.start;
  }

  onEvents(events: readonly ChatEvent[]): undefined {
    for (const event of events) this.#onEvent(event);
  }

  toJson(): string {
    const piece = { content: this.#content, thinking: this.#thinking, toolCalls: this.#toolCalls };
    return JSON.stringify(this.#metadata.lastRecord(piece, this.#reason));
  }

  #onEvent(event: ChatEvent): void {
    this.#metadata.onEvent(event);
    for (const { content = "", thinking = "", toolCalls = [] } of this.#pieces.onEvent(event)) {
      this.#content += content;
      this.#thinking += thinking;
      this.#toolCalls.push(...toolCalls);
    }
    if (event.type === "finish") this.#reason = event.reason;
    // Nothing was sent yet, so a withdrawn answer is not delivered at all.
    if (event.type === "retract") {
      this.#content = "";
      this.#thinking = "";
      this.#toolCalls = [];
    }
  }
}

/** What each event adds: texts as they come, a tool call at its end, since clients expect its arguments as one object. */
class AnswerPieces {
  readonly #blocks = new AnswerBlocks();
  #calls = 0;

  onEvent(event: ChatEvent): Piece[] {
    return this.#blocks.onEvent(event).flatMap((each) => this.#toPieces(each));
  }

  #toPieces(event: BlockEvent): Piece[] {
    const { block } = event;
    switch (block.kind) {
      case "text":
        return event.type === "delta" ? splitText(event.text).map((content) => ({ content })) : [];
      case "reasoning":
        return event.type === "delta" ? splitText(event.text).map((thinking) => ({ thinking })) : [];
      case "tool-call":
        return event.type === "stop" ? [{ toolCalls: [this.#toToolCall(block, event.text)] }] : [];
      case "search":
        return [];
    }
  }

  #toToolCall({ id, name }: { id: string; name: string }, text: string): WireToolCall {
    const args = text.trim() === "" ? {} : parseCallArguments(name, text);
    return { id, function: { index: this.#calls++, name, arguments: args } };
  }
}

function nanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000_000);
}
