import { randomUUID } from "node:crypto";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, FinishReason, Usage } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn, parseObject } from "../../lib/json.js";
import { findError, type ServiceIdentity } from "./errors.js";

/** Finish reasons on the wire; any other is a `stop` (moonshot-platform.md A.7). */
const finishReasons: Record<string, FinishReason> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
};

/** Bytes of a held event besides its data. */
const heldEventSize = 200;

/** Finish reasons of aborted answers, from vLLM, SGLang and proxies in front of them. */
const abortReasons = /^(abort|error|cancelled|insufficient_system_resource)/;

/**
 * Interprets one answer, SSE data or a whole body: ChatEvents out, no I/O. A stream is complete only with `[DONE]`
 * after a finish reason (moonshot-platform.md A.8): some proxies send `[DONE]` after an aborted answer too. Events from
 * the finish reason on are held until `[DONE]`, so that no broken answer looks finished.
 */
export class CompletionInterpreter {
  readonly #service: ServiceIdentity;
  readonly #isVerbatim: boolean;
  /** The number of each call by the service's index, which may be any number. */
  readonly #callNumbers = new Map<number, number>();
  #textLength = 0;
  #finishReason: FinishReason | undefined;
  #heldEvents: ChatEvent[] = [];
  #heldSize = 0;
  #usage: Usage | undefined;
  #isComplete = false;

  /** `isVerbatim`: whether to emit `verbatim` events too. */
  constructor(service: ServiceIdentity, isVerbatim: boolean) {
    this.#service = service;
    this.#isVerbatim = isVerbatim;
  }

  /** True once the answer has ended properly. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Appends the events of SSE data to `events`. Throws GatewayError for an error of the service or an invalid chunk.
   */
  interpret(data: string, events: ChatEvent[]): undefined {
    if (data === "[DONE]") {
      this.#emitEnd(events);
      return;
    }
    const chunk = parseObject(data);
    if (!chunk) throw this.#unreadableError();
    const error = findError(this.#service, chunk);
    if (error) throw error;
    const choices = objectsIn(chunk.choices);
    const choice = choices[0];
    this.#handleFinishReason(asText(choice?.finish_reason));
    const usage = parseUsage(chunk.usage) ?? parseUsage(choice?.usage);
    this.#usage = usage ?? this.#usage;
    const target = this.#finishReason === undefined ? events : this.#holdUntilEnd(data);
    if (this.#isVerbatim) target.push(verbatimEvent(data, choices.length === 0 && usage !== undefined));
    this.#handleMessage(asObject(choice?.delta), target);
  }

  /** The events of a whole answer. Throws GatewayError if the body is none. */
  interpretWhole(body: JsonObject, json: string): ChatEvent[] {
    const choice = objectsIn(body.choices)[0];
    const message = asObject(choice?.message);
    this.#handleFinishReason(asText(choice?.finish_reason));
    if (!message || !this.#finishReason) throw this.#unreadableError();
    this.#usage = parseUsage(body.usage) ?? parseUsage(choice?.usage);
    const events: ChatEvent[] = this.#isVerbatim ? [verbatimEvent(json, false)] : [];
    this.#handleMessage(message, events);
    this.#emitEnd(events);
    return events;
  }

  #handleMessage(message: JsonObject | undefined, events: ChatEvent[]): void {
    if (!message) return;
    // Kimi's field name, and that of vLLM and OpenRouter.
    const reasoning = asText(message.reasoning_content) ?? asText(message.reasoning);
    if (reasoning) events.push({ type: "reasoning", text: this.#countText(reasoning) });
    const content = asText(message.content);
    if (content) events.push({ type: "text", text: this.#countText(content) });
    for (const call of objectsIn(message.tool_calls)) events.push(this.#toToolCallEvent(call));
  }

  /**
   * A part of a tool call. Without an index, as in whole answers and from some engines, a name begins the next call.
   */
  #toToolCallEvent(call: JsonObject): ChatEvent {
    const calledFunction = asObject(call.function);
    const name = asText(calledFunction?.name);
    const knownCount = this.#callNumbers.size;
    const impliedIndex = name === undefined ? Math.max(0, knownCount - 1) : knownCount;
    const serviceIndex = typeof call.index === "number" ? call.index : impliedIndex;
    const index = this.#callNumbers.get(serviceIndex) ?? knownCount;
    const isNew = index === knownCount;
    if (index >= limits.toolCalls) throw this.#unreadableError();
    this.#callNumbers.set(serviceIndex, index);
    return {
      type: "tool-call",
      index,
      ...(isNew ? { id: asText(call.id) ?? `call_${randomUUID()}`, name: name ?? "" } : {}),
      arguments: this.#countText(asText(calledFunction?.arguments) ?? ""),
    };
  }

  #handleFinishReason(reason: string | undefined): void {
    if (reason === undefined) return;
    if (abortReasons.test(reason)) {
      throw new GatewayError("upstream_cut", `${this.#service.service} broke this answer off. Try again.`, {
        upstreamCode: reason,
      });
    }
    this.#finishReason = finishReasons[reason] ?? "stop";
  }

  /** The list of held events, for the events of this data. Throws if too much is held. */
  #holdUntilEnd(data: string): ChatEvent[] {
    this.#heldSize += data.length + heldEventSize;
    if (this.#heldSize > limits.upstreamLine) throw this.#unreadableError();
    return this.#heldEvents;
  }

  #emitEnd(events: ChatEvent[]): void {
    if (!this.#finishReason) {
      throw new GatewayError(
        "upstream_cut",
        `${this.#service.service}'s stream ended in the middle of the answer.`,
      );
    }
    // Some engines send `stop` after tool calls.
    const reason =
      this.#finishReason === "stop" && this.#callNumbers.size > 0 ? "tool-calls" : this.#finishReason;
    events.push(...this.#heldEvents);
    if (this.#usage) events.push({ type: "usage", usage: this.#usage });
    events.push({ type: "finish", reason });
    this.#isComplete = true;
  }

  /** Returns the text, counted towards `limits.answerText`. */
  #countText(text: string): string {
    this.#textLength += text.length;
    if (this.#textLength > limits.answerText) {
      throw new GatewayError("upstream_protocol", `${this.#service.service}'s answer does not end.`);
    }
    return text;
  }

  #unreadableError(): GatewayError {
    return new GatewayError("upstream_protocol", `${this.#service.service} answered something unreadable.`);
  }
}

function verbatimEvent(json: string, usageOnly: boolean): ChatEvent {
  return { type: "verbatim", dialect: "openai-chat", json, usageOnly };
}

/** Moonshot's `cached_tokens` is beside the other counts, OpenAI's one level deeper (moonshot-platform.md A.7). */
function parseUsage(value: unknown): Usage | undefined {
  const usage = asObject(value);
  const input = usage?.prompt_tokens;
  const output = usage?.completion_tokens;
  if (typeof input !== "number" || typeof output !== "number") return undefined;
  const cached = usage?.cached_tokens ?? asObject(usage?.prompt_tokens_details)?.cached_tokens;
  const reasoning = asObject(usage?.completion_tokens_details)?.reasoning_tokens;
  return {
    input,
    output,
    reasoning: numberOrZero(reasoning),
    cached: numberOrZero(cached),
    estimated: false,
  };
}

function numberOrZero(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
