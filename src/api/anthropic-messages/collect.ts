import type { ChatEvent, StartEvent } from "../../core/types.js";
import { parseCallArguments } from "../call-arguments.js";
import { AnswerContent, type ContentBlock, type ContentDelta } from "./answer-content.js";
import { AnswerMetadata } from "./answer-metadata.js";
import type { EncoderOptions } from "./encode.js";

type CollectedBlock = { block: ContentBlock; json: string };

/** Collects a whole answer into one message, as clients put a stream of the same events together. */
export class MessageCollector {
  readonly #metadata: AnswerMetadata;
  readonly #content: AnswerContent;
  #blocks: CollectedBlock[] = [];
  #finish: Extract<ChatEvent, { type: "finish" }> | undefined;

  constructor(options: Omit<EncoderOptions, "requestId">) {
    this.#metadata = new AnswerMetadata(options.model);
    this.#content = new AnswerContent(options);
  }

  get start(): StartEvent | undefined {
    return this.#metadata.start;
  }

  onEvents(events: readonly ChatEvent[]): undefined {
    for (const event of events) this.#onEvent(event);
  }

  /** The message as JSON. Throws `upstream_protocol` if the arguments of a call are no JSON object. */
  toJson(): string {
    const content = this.#blocks.map(withInput);
    const { searches } = this.#content;
    return JSON.stringify(
      this.#metadata.message({ content, searches, ...(this.#finish ? { finish: this.#finish } : {}) }),
    );
  }

  #onEvent(event: ChatEvent): void {
    this.#metadata.onEvent(event);
    if (event.type === "finish") this.#finish = event;
    for (const each of this.#content.onEvent(event)) {
      if (each.type === "content_block_start") this.#blocks.push({ block: each.content_block, json: "" });
      else if (each.type === "content_block_delta") this.#apply(each.delta);
    }
    // Nothing was sent yet, so a withdrawn answer is not delivered at all.
    if (event.type === "retract") this.#blocks = [];
  }

  #apply(delta: ContentDelta): void {
    const last = this.#blocks.at(-1);
    if (!last) return;
    const { block } = last;
    switch (delta.type) {
      case "text_delta":
        if (block.type === "text") block.text += delta.text;
        return;
      case "citations_delta":
        if (block.type === "text") block.citations = [...(block.citations ?? []), delta.citation];
        return;
      case "thinking_delta":
        if (block.type === "thinking") block.thinking += delta.thinking;
        return;
      case "signature_delta":
        if (block.type === "thinking") block.signature = delta.signature;
        return;
      case "input_json_delta":
        last.json += delta.partial_json;
    }
  }
}

function withInput({ block, json }: CollectedBlock): ContentBlock {
  if (json === "" || (block.type !== "tool_use" && block.type !== "server_tool_use")) return block;
  return { ...block, input: parseCallArguments(block.name, json) };
}
