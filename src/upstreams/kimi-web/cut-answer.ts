import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, EventSink } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import type { CutAnswerOutcome } from "../../observability/metrics.js";
import { severityName, statusName } from "./enums.js";
import type { ChatInterpreter, FinalMessage } from "./events.js";
import type { UnaryCall } from "./source-lookup.js";
import type { ReceivedText, TextChannel } from "./text-blocks.js";

type CutAnswerContext = { call: UnaryCall; sink: EventSink; signal: AbortSignal };

/** An answer's message, as far as one look at it tells: not final yet, failed, or with the blocks that it ends with. */
type Look = { state: "running" } | { state: "failed" } | ({ state: "final" } & FinalMessage);

/**
 * An answer whose stream ended before it did. Kimi keeps its message, of which the rest is emitted if the message begins
 * with exactly what was received (kimi-web.md §2.10, docs/decisions/0015-cut-answers.md).
 */
export class CutAnswer {
  readonly #answer: ChatInterpreter;
  readonly #context: CutAnswerContext;

  constructor(answer: ChatInterpreter, context: CutAnswerContext) {
    this.#answer = answer;
    this.#context = context;
  }

  /** Whether a part of its text or reasoning was received. */
  get hasBegun(): boolean {
    return this.#isWanted() && this.#answer.receivedTexts?.length !== 0;
  }

  /** Whether the connection broke or stalled while Kimi was answering. */
  isCutBy(error: unknown): boolean {
    const isCut =
      error instanceof GatewayError && (error.code === "upstream_cut" || error.code === "timeout");
    return isCut && this.#isWanted() && !this.#answer.isComplete;
  }

  /**
   * Asks Kimi for the message until it is final, for `milliseconds` at most, and emits the rest and the end. Throws only the
   * reason of an aborted signal and what the sink throws.
   */
  async fetch(milliseconds: number): Promise<CutAnswerOutcome> {
    const { signal } = this.#context;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
    for (;;) {
      const look = await this.#look(deadline);
      signal.throwIfAborted();
      if (typeof look === "string") return look;
      if (look.state === "failed") return "failed";
      if (look.state === "final") return this.#continueWith(look);
      await sleep(limits.cutAnswerPoll, undefined, { signal: deadline }).catch(() => {});
    }
  }

  /** Whether the client is still there, and Kimi has named the chat and the message. */
  #isWanted(): boolean {
    const { chat, message } = this.#answer.ids;
    return !this.#context.signal.aborted && chat !== "" && message !== "";
  }

  /** A call that fails in passing is a look at a message that is running. */
  async #look(deadline: AbortSignal): Promise<Look | "unreadable" | "unfinished"> {
    if (deadline.aborted) return "unfinished";
    const { chat, message: id } = this.#answer.ids;
    const body = { chat_id: chat, page_size: limits.cutAnswerMessages };
    try {
      const { messages } = await this.#context.call(
        "kimi.gateway.chat.v1.ChatService/ListMessages",
        body,
        deadline,
      );
      const message = objectsIn(messages).find((each) => asText(each.id) === id);
      return message ? parseMessage(message) : "unreadable";
    } catch (error) {
      return deadline.aborted || isPassing(error) ? { state: "running" } : "unreadable";
    }
  }

  async #continueWith({ blocks, refs, status }: FinalMessage): Promise<"fetched" | "different" | "failed"> {
    const { receivedTexts } = this.#answer;
    const matched = receivedTexts && matchTexts(receivedTexts, blocks);
    if (!matched) return "different";
    const events = this.#answer.interpretMessage({ blocks: matched, refs, status });
    for (let part = nextEvents(events); part; part = nextEvents(events)) {
      if (part === "failed") return "failed";
      await this.#context.sink(part);
    }
    return "fetched";
  }
}

/** Whether the next call may succeed: an answer of another form, such as a refusal of the request's, stays as it is. */
function isPassing(error: unknown): boolean {
  return error instanceof GatewayError && error.retryable && error.code !== "upstream_protocol";
}

/** The next events of an answer; undefined at its end, "failed" if it turns out to have none. */
function nextEvents(events: Iterator<ChatEvent[]>): ChatEvent[] | "failed" | undefined {
  try {
    const { value, done } = events.next();
    return done ? undefined : value;
  } catch (error) {
    if (error instanceof GatewayError) return "failed";
    throw error;
  }
}

/** Of an answer with an exception that is more than a remark, nothing is taken; remarks the stream has had. */
function parseMessage(message: JsonObject): Look {
  const status = statusName(message.status);
  if (status === "ERROR" || status === "CANCELLED") return { state: "failed" };
  if (status !== "COMPLETED" && status !== "TRUNCATED") return { state: "running" };
  const all = objectsIn(message.blocks);
  if (all.some(isFailure)) return { state: "failed" };
  const blocks = all.filter((block) => !isObject(block.exception) && !isObject(block.error));
  return { state: "final", blocks, refs: asObject(message.refs), status };
}

function isFailure(block: JsonObject): boolean {
  const exception = asObject(block.exception) ?? asObject(block.error);
  if (!exception) return false;
  return severityName((asObject(exception.error) ?? exception).severity) !== "INFO";
}

/**
 * The blocks with the ids that the stream gave to those of their texts that were received; undefined if the texts do not begin
 * with exactly those: all but the last complete, and of the last one the beginning.
 */
export function matchTexts(
  received: readonly ReceivedText[],
  blocks: readonly JsonObject[],
): JsonObject[] | undefined {
  let next = 0;
  const matched: JsonObject[] = [];
  for (const [index, block] of blocks.entries()) {
    const text = textOf(block);
    const known = text ? received[next] : undefined;
    if (!text || !known) {
      const id = asText(block.id);
      const isTaken = text !== undefined && received.some((each) => each.id === id);
      matched.push({ ...block, id: id === undefined || isTaken ? `fetched-${index}` : id });
      continue;
    }
    next++;
    const isWhole = next < received.length;
    const fits = isWhole ? text.content === known.text : text.content.startsWith(known.text);
    if (!fits || text.channel !== known.channel) return undefined;
    matched.push({ ...block, id: known.id });
  }
  return next === received.length ? matched : undefined;
}

/** The text of a block, if it has one. */
function textOf(block: JsonObject): { channel: TextChannel; content: string } | undefined {
  for (const channel of ["text", "think"] as const) {
    const content = asText(asObject(block[channel])?.content);
    if (content) return { channel, content };
  }
  return undefined;
}
