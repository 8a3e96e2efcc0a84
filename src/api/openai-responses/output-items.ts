import type { Annotation } from "../../chat/citations.js";
import type { ChatEvent } from "../../core/types.js";
import { asText, parseObject } from "../../lib/json.js";
import { AnswerBlocks, type Block, type BlockEvent } from "../stream/answer-blocks.js";
import { splitText } from "../stream/stream-json.js";
import { outputItemId } from "./ids.js";
import {
  type ItemEvent,
  type ItemSource,
  type OutputItem,
  outputText,
  type SearchAction,
  searchAction,
  type UrlCitation,
} from "./output-item.js";
import { customInput } from "./tool-names.js";
import type { ClientTool } from "./tools.js";

export type AnswerItemsOptions = {
  responseId: string;
  tools: ReadonlyMap<string, ClientTool>;
  /** Whether searches are items; a client that offers no search does not know of them. */
  showsSearches: boolean;
  /** Whether searches list the pages that they found. */
  showsSources: boolean;
  /** Seals the reasoning for clients that keep it; undefined where they did not ask for that. */
  sealReasoning: ((text: string) => string) | undefined;
};

/** The items of an ordinary answer: reasoning, searches, texts and calls, in the order in which they come. */
export class AnswerItems implements ItemSource {
  readonly #options: AnswerItemsOptions;
  readonly #blocks = new AnswerBlocks();
  readonly #items: OutputItem[] = [];
  /** The open item. */
  #open: OutputItem | undefined;
  readonly #annotated = new Set<Annotation>();
  /** Length of the texts before the open one: offsets of citations count from the beginning of the answer. */
  #textLength = 0;
  #isCut = false;

  constructor(options: AnswerItemsOptions) {
    this.#options = options;
  }

  get items(): readonly OutputItem[] {
    return this.#items;
  }

  onEvent(event: ChatEvent): ItemEvent[] {
    // A text goes on after a search that is no item.
    if (event.type === "search" && !this.#options.showsSearches) return [];
    const isFinish = event.type === "finish";
    if (isFinish) this.#isCut = event.reason === "length" || event.reason === "content-filter";
    const events = this.#blocks.onEvent(event).flatMap((each) => this.#onBlock(each, isFinish));
    // An answer has a text, even if that is empty: clients read the first item without looking.
    const isEmpty = isFinish && this.#items.length === 0;
    return isEmpty ? [...this.#startText(), ...this.#stopText("", true)] : events;
  }

  #onBlock(event: BlockEvent, isFinish: boolean): ItemEvent[] {
    const { block } = event;
    switch (event.type) {
      case "start":
        return this.#start(block);
      case "delta":
        return splitText(event.text).flatMap((piece) => this.#delta(piece));
      case "stop":
        return this.#stop(block, event.text, isFinish);
    }
  }

  #start(block: Block): ItemEvent[] {
    switch (block.kind) {
      case "text":
        return this.#startText();
      case "reasoning": {
        const id = this.#id("reasoning");
        const added = this.#add({ type: "reasoning", id, summary: [] });
        const part = { type: "summary_text", text: "" };
        return [...added, this.#event("reasoning_summary_part.added", { summary_index: 0, part })];
      }
      case "tool-call": {
        const { kind, name, namespace } = this.#clientTool(block.name);
        const callee = { call_id: block.id, name, ...(namespace === undefined ? {} : { namespace }) };
        const status = "in_progress" as const;
        return kind === "custom"
          ? this.#add({
              type: "custom_tool_call",
              id: this.#id("custom_tool_call"),
              status,
              ...callee,
              input: "",
            })
          : this.#add({
              type: "function_call",
              id: this.#id("function_call"),
              status,
              ...callee,
              arguments: "",
            });
      }
      case "search": {
        if (!this.#options.showsSearches) return [];
        const action = searchAction(block.queries);
        const added = this.#add({
          type: "web_search_call",
          id: this.#id("web_search_call"),
          status: "in_progress",
          action,
        });
        return [
          ...added,
          this.#event("web_search_call.in_progress"),
          this.#event("web_search_call.searching"),
        ];
      }
    }
  }

  #startText(): ItemEvent[] {
    const id = this.#id("message");
    const added = this.#add({ type: "message", id, status: "in_progress", role: "assistant", content: [] });
    return [...added, this.#event("content_part.added", { content_index: 0, part: outputText("", []) })];
  }

  #delta(delta: string): ItemEvent[] {
    switch (this.#open?.type) {
      case "message":
        return [this.#event("output_text.delta", { content_index: 0, delta, logprobs: [] })];
      case "reasoning":
        return [this.#event("reasoning_summary_text.delta", { summary_index: 0, delta })];
      case "function_call":
        return [this.#event("function_call_arguments.delta", { delta })];
      default:
        // The text of a custom tool is inside of JSON, so that it is known at its end.
        return [];
    }
  }

  #stop(block: Block, text: string, isFinish: boolean): ItemEvent[] {
    const open = this.#open;
    switch (open?.type) {
      case "message":
        return this.#stopText(text, isFinish);
      case "reasoning":
        return this.#stopReasoning(text);
      case "function_call": {
        const args = text === "" ? "{}" : text;
        const item = { ...open, status: "completed" as const, arguments: args };
        const done = this.#event("function_call_arguments.done", { name: item.name, arguments: args });
        return [done, ...this.#finish(item)];
      }
      case "custom_tool_call":
        return this.#stopCustom(open, text);
      case "web_search_call": {
        const action = this.#searchAction(block);
        return [
          this.#event("web_search_call.completed"),
          ...this.#finish({ ...open, status: "completed", action }),
        ];
      }
      default:
        return [];
    }
  }

  #stopText(text: string, isFinish: boolean): ItemEvent[] {
    const annotations = this.#takeCitations(text.length, isFinish);
    this.#textLength += text.length;
    const part = outputText(text, annotations);
    const place = { content_index: 0 };
    const events = [
      ...annotations.map((annotation, annotation_index) =>
        this.#event("output_text.annotation.added", { ...place, annotation_index, annotation }),
      ),
      this.#event("output_text.done", { ...place, text, logprobs: [] }),
      this.#event("content_part.done", { ...place, part }),
    ];
    const open = this.#open;
    if (open?.type !== "message") return [];
    const status = isFinish && this.#isCut ? "incomplete" : "completed";
    return [...events, ...this.#finish({ ...open, status, content: [part] })];
  }

  #stopReasoning(text: string): ItemEvent[] {
    const open = this.#open;
    if (open?.type !== "reasoning") return [];
    const part = { type: "summary_text" as const, text };
    const sealed = this.#options.sealReasoning?.(text);
    const events = [
      this.#event("reasoning_summary_text.done", { summary_index: 0, text }),
      this.#event("reasoning_summary_part.done", { summary_index: 0, part }),
    ];
    const encrypted = sealed === undefined ? {} : { encrypted_content: sealed };
    return [...events, ...this.#finish({ ...open, summary: [part], ...encrypted })];
  }

  #stopCustom(open: Extract<OutputItem, { type: "custom_tool_call" }>, args: string): ItemEvent[] {
    const input = readCustomInput(args);
    const deltas = input === "" ? [] : splitText(input);
    return [
      ...deltas.map((delta) => this.#event("custom_tool_call_input.delta", { delta })),
      this.#event("custom_tool_call_input.done", { input }),
      ...this.#finish({ ...open, status: "completed", input }),
    ];
  }

  /**
   * The citations of the text that ends, with offsets in it. At the end of the answer they are all that are left: a source
   * may come after the text that cites it.
   */
  #takeCitations(length: number, isFinish: boolean): UrlCitation[] {
    const start = this.#textLength;
    const taken = this.#blocks.annotations().filter((annotation) => {
      if (this.#annotated.has(annotation)) return false;
      return isFinish || (annotation.start >= start && annotation.start < start + length);
    });
    for (const annotation of taken) this.#annotated.add(annotation);
    const within = (offset: number) => Math.min(length, Math.max(0, offset - start));
    return taken.map(({ url, title, start: from, end }) => ({
      type: "url_citation",
      url,
      title,
      start_index: within(from),
      end_index: within(end),
    }));
  }

  #searchAction(block: Block): SearchAction {
    if (block.kind !== "search") return searchAction([]);
    const sources = block.sources.map(({ url }) => ({ type: "url" as const, url }));
    return { ...searchAction(block.queries), ...(this.#options.showsSources ? { sources } : {}) };
  }

  #clientTool(name: string): ClientTool {
    return this.#options.tools.get(name) ?? { kind: "function", name };
  }

  #id(type: Parameters<typeof outputItemId>[0]): string {
    return outputItemId(type, this.#options.responseId, this.#items.length);
  }

  #add(item: OutputItem): ItemEvent[] {
    this.#open = item;
    return [{ type: "response.output_item.added", output_index: this.#items.length, item }];
  }

  #finish(item: OutputItem): ItemEvent[] {
    const done: ItemEvent = { type: "response.output_item.done", output_index: this.#items.length, item };
    this.#items.push(item);
    this.#open = undefined;
    return [done];
  }

  #event(name: string, fields: Record<string, unknown> = {}): ItemEvent {
    const item_id = this.#open?.id ?? "";
    return { type: `response.${name}`, item_id, output_index: this.#items.length, ...fields };
  }
}

/** The text for a custom tool. A model may write the text itself instead of the JSON that it was asked for. */
function readCustomInput(args: string): string {
  const parsed = parseObject(args);
  if (!parsed) return args;
  const input = parsed[customInput];
  return typeof input === "string" ? input : (asText(Object.values(parsed)[0]) ?? "");
}
