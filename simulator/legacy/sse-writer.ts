import type { ChatTurn } from "../chats.js";
import { ApiError } from "../errors.js";
import type { JsonObject } from "../json.js";
import type { AnswerWriter } from "../player.js";
import type { ResponseWriter } from "../response-writer.js";
import type { MessageStatus, StepOf, StreamPosition } from "../steps.js";
import { errorEvent, toLegacyError } from "./errors.js";

export type LegacySseWriterOptions = {
  /** The user's text as received; undefined for the continuation of an answer. */
  prompt: string | undefined;
  /** The file ids of the request, for the echo of the user message. */
  refs: readonly unknown[];
};

/** Writes an answer as server-sent events. Thinking, notifications and rewriting have no event and are left out (kimi-web.md §1.5). */
export class LegacySseWriter implements AnswerWriter {
  readonly #responseWriter: ResponseWriter;
  readonly #turn: ChatTurn;
  readonly #options: LegacySseWriterOptions;
  #text: string;
  #hasError = false;

  constructor(responseWriter: ResponseWriter, turn: ChatTurn, options: LegacySseWriterOptions) {
    this.#responseWriter = responseWriter;
    this.#turn = turn;
    this.#options = options;
    this.#text = turn.assistant.text;
  }

  writeOpening(): void {
    const { user, assistant } = this.#turn;
    const { prompt, refs } = this.#options;
    const group_id = this.#turn.chat.id;
    if (prompt !== undefined)
      this.#writeEvent({ event: "req", content: prompt, group_id, id: user.id, refs });
    this.#writeEvent({ event: "resp", group_id, id: assistant.id });
  }

  writeDelta(kind: "think" | "text", delta: string): void {
    if (kind === "think") return;
    this.#text += delta;
    this.#writeEvent(deltaEvent(delta));
  }

  *writeSearch({ sources }: StepOf<"search">): Generator<void> {
    this.#writeEvent({ event: "search_plus", msg: { type: "start" } });
    yield;
    for (const [index, { title, url }] of sources.entries()) {
      this.#writeEvent({ event: "search_plus", msg: { successNum: index + 1, title, type: "get_res", url } });
      yield;
    }
  }

  writeRewrite(): void {}

  writeException({ reason, severity, message }: StepOf<"exception">): void {
    if (severity === "SEVERITY_INFO") return;
    this.#writeErrorEvent(new ApiError({ code: "internal", reason, message }));
    // Kimi disables a chat after a moderation stop (kimi-web.md §1.6).
    if (severity === "SEVERITY_MESSAGE_RETRACT") this.#turn.chat.isDisabled = true;
  }

  writeNotification(): void {}

  /** Writes a heartbeat in both forms that the sources describe: a comment and a `ping` event. */
  writeHeartbeat(): void {
    this.#responseWriter.writeBytes(Buffer.from(": ping\n\n"));
    this.#writeEvent({ event: "ping" });
  }

  writeChatName(name: string | undefined): void {
    const { chat, user } = this.#turn;
    chat.name = name ?? (Array.from(user.text.trim()).slice(0, 30).join("") || chat.name);
  }

  writeRawFrame(frame: StepOf<"raw">["frame"]): void {
    const { chat, assistant } = this.#turn;
    const position: StreamPosition = { chatId: chat.id, messageId: assistant.id, eventOffset: 0, block: "" };
    this.#writeEvent(typeof frame === "function" ? frame(position) : frame);
  }

  /** A cancelled answer ends without any event. */
  writeEnd(status: MessageStatus): void {
    this.#turn.assistant.status = `MESSAGE_STATUS_${status}`;
    if (status === "CANCELLED") return;
    if (status === "ERROR") {
      if (!this.#hasError) this.#writeErrorEvent(new ApiError({ code: "internal" }));
      return;
    }
    this.#writeEvent({ event: status === "TRUNCATED" ? "length" : "done" });
    this.#writeEvent({ event: "all_done" });
  }

  writeError(ending: StepOf<"error-trailer">): void {
    this.#turn.assistant.status = "MESSAGE_STATUS_ERROR";
    if (ending.afterDone) this.#writeEvent({ event: "done" });
    this.#writeErrorEvent(new ApiError(ending));
  }

  sampleFrame(): Buffer {
    return encodeEvent(deltaEvent("never seen in full"));
  }

  saveToChat(): void {
    const { assistant } = this.#turn;
    assistant.text = this.#text;
    if (assistant.status === "MESSAGE_STATUS_GENERATING") assistant.status = "MESSAGE_STATUS_CANCELLED";
  }

  #writeErrorEvent(error: ApiError): void {
    this.#hasError = true;
    this.#writeEvent(errorEvent(toLegacyError(error)));
  }

  #writeEvent(event: JsonObject): void {
    this.#responseWriter.writeBytes(encodeEvent(event));
  }
}

/** A delta in the form used in 2025 (kimi-web.md §1.5). */
function deltaEvent(text: string): JsonObject {
  return { event: "cmpl", idx_s: 0, idx_z: 0, text, view: "cmpl" };
}

function encodeEvent(event: JsonObject): Buffer {
  return Buffer.from(`data: ${JSON.stringify(event)}\n\n`);
}
