import { randomUUID } from "node:crypto";
import type { ChatEvent, FinishReason, Usage } from "../../core/types.js";
import { NoticeCollector } from "../notices.js";
import type { StartEvent } from "../stream/stream-answer.js";
import { usageObject } from "./usage.js";

type FinishEvent = Extract<ChatEvent, { type: "finish" }>;

const stopReasons: Record<FinishReason, string> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
};

const noUsage: Usage = { input: 0, output: 0, reasoning: 0, cached: 0, estimated: true };

/** What a message of the answer has beside its content. */
export class AnswerMetadata {
  readonly #id = `msg_${randomUUID().replaceAll("-", "")}`;
  readonly #notices = new NoticeCollector();
  #model: string;
  #conversation: string | undefined;
  #usage = noUsage;
  start: StartEvent | undefined;

  /** `model`: its name until the first event. */
  constructor(model: string) {
    this.#model = model;
  }

  onEvent(event: ChatEvent): void {
    switch (event.type) {
      case "start":
        this.start = event;
        this.#model = event.model;
        return;
      case "conversation":
        this.#conversation = event.id;
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "search":
      case "notice":
        this.#notices.add(event);
        return;
      default:
        return;
    }
  }

  /** The message; without `finish` the one that begins a stream. */
  message({
    content,
    searches,
    finish,
  }: {
    content: readonly object[];
    searches: number | undefined;
    finish?: FinishEvent;
  }) {
    return {
      id: this.#id,
      type: "message",
      role: "assistant",
      model: this.#model,
      content,
      ...ending(finish),
      ...(this.#conversation === undefined ? {} : { conversation_id: this.#conversation }),
      usage: usageObject(this.#usage, searches),
      ...(finish ? this.#notices.takeFields() : {}),
    };
  }

  /** What the end of a stream adds to the message. */
  messageDelta(finish: FinishEvent, searches: number | undefined) {
    return {
      delta: ending(finish),
      usage: usageObject(this.#usage, searches),
      ...this.#notices.takeFields(),
    };
  }
}

function ending(finish: FinishEvent | undefined) {
  const stopSequence = finish?.stopSequence;
  return {
    stop_reason:
      finish === undefined ? null : stopSequence === undefined ? stopReasons[finish.reason] : "stop_sequence",
    stop_sequence: stopSequence ?? null,
  };
}
