import { randomUUID } from "node:crypto";
import type { ChatEvent, FinishReason, StartEvent, Usage } from "../../core/types.js";
import { AnswerFacts } from "../stream/answer-facts.js";
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
  readonly #facts: AnswerFacts;

  /** `model`: its name until the first event. */
  constructor(model: string) {
    this.#facts = new AnswerFacts(model);
  }

  get start(): StartEvent | undefined {
    return this.#facts.start;
  }

  onEvent(event: ChatEvent): void {
    this.#facts.onEvent(event);
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
    const { model, conversation, usage = noUsage, notices } = this.#facts;
    return {
      id: this.#id,
      type: "message",
      role: "assistant",
      model,
      content,
      ...ending(finish),
      ...(conversation === undefined ? {} : { conversation_id: conversation }),
      usage: usageObject(usage, searches),
      ...(finish ? notices.takeFields() : {}),
    };
  }

  /** What the end of a stream adds to the message. */
  messageDelta(finish: FinishEvent, searches: number | undefined) {
    const { usage = noUsage, notices } = this.#facts;
    return {
      delta: ending(finish),
      usage: usageObject(usage, searches),
      ...notices.takeFields(),
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
