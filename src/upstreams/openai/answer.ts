import { randomUUID } from "node:crypto";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, FinishReason, Usage } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn, parseObject } from "../../lib/json.js";
import { errorIn, type Service } from "./errors.js";

/** What the wire calls an end; whatever else a service calls one is a `stop` (moonshot-platform.md A.7). */
const finishReasons: Record<string, FinishReason> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
};

/** What engines say when they stopped without being done: vLLM, SGLang, and proxies in front of them. */
const brokenOff = /^(abort|error|cancelled|insufficient_system_resource)/;

/**
 * Understands one answer, in chunks or whole, and checks its ending: `[DONE]` after a finish reason, and nothing else,
 * is a good one (moonshot-platform.md A.8). Some proxies add `[DONE]` to whatever broke off, so that it alone proves
 * nothing. What ends the answer waits for `[DONE]`, so that no broken one looks finished.
 */
export class AnswerReader {
  readonly #service: Service;
  readonly #verbatim: boolean;
  readonly #calls = new Set<number>();
  #said = 0;
  #finish: FinishReason | undefined;
  #held: ChatEvent[] = [];
  #heldSize = 0;
  #usage: Usage | undefined;
  #ended = false;

  /** `verbatim`: whether the answer is also passed on as it is. */
  constructor(service: Service, verbatim: boolean) {
    this.#service = service;
    this.#verbatim = verbatim;
  }

  /** True after the honest end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads the data of one event of a stream. Throws GatewayError where it is a failure or makes no sense. */
  read(data: string, events: ChatEvent[]): undefined {
    if (data === "[DONE]") {
      this.#end(events);
      return;
    }
    const chunk = parseObject(data);
    if (!chunk) throw this.#unreadable();
    const error = errorIn(this.#service, chunk);
    if (error) throw error;
    const choices = objectsIn(chunk.choices);
    const choice = choices[0];
    this.#hearFinish(asText(choice?.finish_reason));
    const usage = readUsage(chunk.usage) ?? readUsage(choice?.usage);
    this.#usage = usage ?? this.#usage;
    const heard = this.#finish === undefined ? events : this.#hold(data);
    if (this.#verbatim) heard.push(verbatim(data, choices.length === 0 && usage !== undefined));
    this.#hear(asObject(choice?.delta), heard);
  }

  /** Reads a whole answer. Throws GatewayError where there is none in it. */
  readWhole(body: JsonObject, json: string): ChatEvent[] {
    const choice = objectsIn(body.choices)[0];
    const message = asObject(choice?.message);
    this.#hearFinish(asText(choice?.finish_reason));
    if (!message || !this.#finish) throw this.#unreadable();
    this.#usage = readUsage(body.usage) ?? readUsage(choice?.usage);
    const events: ChatEvent[] = this.#verbatim ? [verbatim(json, false)] : [];
    this.#hear(message, events);
    this.#end(events);
    return events;
  }

  #hear(spoken: JsonObject | undefined, events: ChatEvent[]): void {
    if (!spoken) return;
    // Kimi's own name and the one that vLLM and OpenRouter give it.
    const reasoning = asText(spoken.reasoning_content) ?? asText(spoken.reasoning);
    if (reasoning) events.push({ type: "reasoning", text: this.#counted(reasoning) });
    const content = asText(spoken.content);
    if (content) events.push({ type: "text", text: this.#counted(content) });
    for (const call of objectsIn(spoken.tool_calls)) events.push(this.#call(call));
  }

  /** A piece of a call. Whole answers and some engines number none: a name begins the next one then. */
  #call(call: JsonObject): ChatEvent {
    const called = asObject(call.function);
    const name = asText(called?.name);
    const known = this.#calls.size;
    const next = name === undefined ? Math.max(0, known - 1) : known;
    const index = typeof call.index === "number" ? call.index : next;
    const begins = !this.#calls.has(index);
    this.#calls.add(index);
    return {
      type: "tool-call",
      index,
      ...(begins ? { id: asText(call.id) ?? `call_${randomUUID()}`, name: name ?? "" } : {}),
      arguments: this.#counted(asText(called?.arguments) ?? ""),
    };
  }

  #hearFinish(reason: string | undefined): void {
    if (reason === undefined) return;
    if (brokenOff.test(reason)) {
      throw new GatewayError("upstream_cut", `${this.#service.service} broke this answer off. Try again.`, {
        upstreamCode: reason,
      });
    }
    this.#finish = finishReasons[reason] ?? "stop";
  }

  /** Where events wait for the end. */
  #hold(data: string): ChatEvent[] {
    this.#heldSize += data.length;
    if (this.#heldSize > limits.upstreamLine) throw this.#unreadable();
    return this.#held;
  }

  #end(events: ChatEvent[]): void {
    if (!this.#finish) {
      throw new GatewayError(
        "upstream_cut",
        `${this.#service.service}'s stream ended in the middle of the answer.`,
      );
    }
    // Some engines say `stop` after calls.
    const reason = this.#finish === "stop" && this.#calls.size > 0 ? "tool-calls" : this.#finish;
    events.push(...this.#held);
    if (this.#usage) events.push({ type: "usage", usage: this.#usage });
    events.push({ type: "finish", reason });
    this.#ended = true;
  }

  /** The same text, counted towards all that an answer may say. */
  #counted(said: string): string {
    this.#said += said.length;
    if (this.#said > limits.answerText) {
      throw new GatewayError("upstream_protocol", `${this.#service.service}'s answer does not end.`);
    }
    return said;
  }

  #unreadable(): GatewayError {
    return new GatewayError("upstream_protocol", `${this.#service.service} answered something unreadable.`);
  }
}

function verbatim(json: string, usageOnly: boolean): ChatEvent {
  return { type: "verbatim", dialect: "openai-chat", json, usageOnly };
}

/** Moonshot counts cached tokens beside the others, OpenAI one level deeper (moonshot-platform.md A.7). */
function readUsage(value: unknown): Usage | undefined {
  const usage = asObject(value);
  const input = usage?.prompt_tokens;
  const output = usage?.completion_tokens;
  if (typeof input !== "number" || typeof output !== "number") return undefined;
  const cached = usage?.cached_tokens ?? asObject(usage?.prompt_tokens_details)?.cached_tokens;
  const reasoning = asObject(usage?.completion_tokens_details)?.reasoning_tokens;
  return { input, output, reasoning: count(reasoning), cached: count(cached), estimated: false };
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
