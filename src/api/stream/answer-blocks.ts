import { type Annotation, CitationWriter } from "../../chat/citations.js";
import { GatewayError } from "../../core/errors.js";
import type { ChatEvent, Source } from "../../core/types.js";

/**
 * A run of text or of reasoning, one tool call, or one search of the web with what it found. A search has no deltas:
 * `sources` is complete when the block stops. `queries` is empty where the service does not tell them.
 */
export type Block =
  | { kind: "text" }
  | { kind: "reasoning" }
  | { kind: "tool-call"; id: string; name: string }
  | { kind: "search"; queries: readonly string[]; sources: readonly Source[] };

/**
 * What happens to a block. `index` counts the blocks of the answer from 0. `text` is the new text, and at the end all of it:
 * of a tool call the arguments as JSON. A text has the markers and the list of its citations.
 */
export type BlockEvent =
  | { type: "start"; index: number; block: Block }
  | { type: "delta"; index: number; block: Block; text: string }
  | { type: "stop"; index: number; block: Block; text: string };

type ToolCallEvent = Extract<ChatEvent, { type: "tool-call" }>;
type OpenBlock = { index: number; block: Block; text: string; callIndex?: number };
type SearchBlock = Extract<Block, { kind: "search" }>;

/**
 * Derives the blocks of one answer from its events, for dialects that send where each begins and ends. One block is open at
 * a time: what comes for another tool call than the open one waits for its end, and sources that come inside another block
 * than a search become a search of their own behind it.
 */
export class AnswerBlocks {
  readonly #citations = new CitationWriter();
  #open: OpenBlock | undefined;
  #count = 0;
  /** What came for tool calls while another one was open; by their indexes in the order of their first deltas. */
  readonly #waiting = new Map<number, { id: string; name: string; arguments: string }>();
  readonly #endedCalls = new Set<number>();
  #lateSources: Source[] = [];

  /** Call it with every event of the answer. Throws `upstream_protocol` if a tool call goes on after its end. */
  onEvent(event: ChatEvent): BlockEvent[] {
    const text = this.#citations.write(event);
    switch (event.type) {
      case "text":
      case "citation":
        return this.#addText({ kind: "text" }, text);
      case "reasoning":
        return this.#addText({ kind: "reasoning" }, event.text);
      case "tool-call":
        return this.#addToCall(event);
      case "search":
        return [...this.#stopAll(), ...this.#start({ kind: "search", queries: event.queries, sources: [] })];
      case "source":
        return this.#addSource(event.source);
      case "finish":
        return [...this.#addText({ kind: "text" }, text), ...this.#stopAll()];
      default:
        return [];
    }
  }

  /** The citations of the text so far. */
  annotations(): Annotation[] {
    return this.#citations.annotations();
  }

  #addText(block: Block, text: string): BlockEvent[] {
    if (text === "") return [];
    if (this.#open?.block.kind === block.kind) return this.#delta(text);
    return [...this.#stopAll(), ...this.#start(block), ...this.#delta(text)];
  }

  #addSource(source: Source): BlockEvent[] {
    const block = this.#open?.block;
    if (this.#open && block?.kind === "search")
      this.#open.block = { ...block, sources: [...block.sources, source] };
    else if (block) this.#lateSources.push(source);
    else return this.#start({ kind: "search", queries: [], sources: [source] });
    return [];
  }

  #addToCall(event: ToolCallEvent): BlockEvent[] {
    const { index, id = "", name = "" } = event;
    if (this.#endedCalls.has(index)) {
      const message = "The upstream continued a tool call after its end. Send the message again.";
      throw new GatewayError("upstream_protocol", message);
    }
    if (this.#open?.callIndex === index) return this.#delta(event.arguments);
    if (this.#open?.callIndex === undefined)
      return [
        ...this.#stopAll(),
        ...this.#start({ kind: "tool-call", id, name }, index),
        ...this.#delta(event.arguments),
      ];
    const call = this.#waiting.get(index) ?? { id, name, arguments: "" };
    this.#waiting.set(index, { ...call, arguments: call.arguments + event.arguments });
    return [];
  }

  #start(block: Block, callIndex?: number): BlockEvent[] {
    const index = this.#count++;
    this.#open = { index, block, text: "", ...(callIndex === undefined ? {} : { callIndex }) };
    return [{ type: "start", index, block }];
  }

  #delta(text: string): BlockEvent[] {
    if (!this.#open || text === "") return [];
    this.#open.text += text;
    const { index, block } = this.#open;
    return [{ type: "delta", index, block, text }];
  }

  /** Ends the open block, and what waits for its end. */
  #stopAll(): BlockEvent[] {
    const events = this.#stop();
    if (this.#lateSources.length > 0) {
      const search: SearchBlock = { kind: "search", queries: [], sources: this.#lateSources };
      this.#lateSources = [];
      events.push(...this.#start(search), ...this.#stop());
    }
    for (const [index, { id, name, arguments: text }] of this.#waiting) {
      events.push(
        ...this.#start({ kind: "tool-call", id, name }, index),
        ...this.#delta(text),
        ...this.#stop(),
      );
    }
    this.#waiting.clear();
    return events;
  }

  #stop(): BlockEvent[] {
    if (!this.#open) return [];
    const { index, block, text, callIndex } = this.#open;
    if (callIndex !== undefined) this.#endedCalls.add(callIndex);
    this.#open = undefined;
    return [{ type: "stop", index, block, text }];
  }
}
