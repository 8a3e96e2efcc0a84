import { randomUUID } from "node:crypto";
import type { ChatEvent, Source } from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import { textChunks } from "../../lib/text-chunks.js";
import { AnswerBlocks, type BlockEvent } from "../stream/answer-blocks.js";
import { splitText } from "../stream/stream-json.js";
import type { Seals } from "./seals.js";

type Citation = {
  type: "web_search_result_location";
  url: string;
  title: string;
  cited_text: string;
  encrypted_index: string;
};
type WebSearchResult = {
  type: "web_search_result";
  title: string;
  url: string;
  encrypted_content: string;
  page_age: string | null;
};

/** A content block as it starts. */
export type ContentBlock =
  | { type: "text"; text: string; citations?: Citation[] }
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "tool_use"; id: string; name: string; input: JsonObject }
  | { type: "server_tool_use"; id: string; name: "web_search"; input: JsonObject }
  | { type: "web_search_tool_result"; tool_use_id: string; content: WebSearchResult[] };

export type ContentDelta =
  | { type: "text_delta"; text: string }
  | { type: "thinking_delta"; thinking: string }
  | { type: "signature_delta"; signature: string }
  | { type: "input_json_delta"; partial_json: string }
  | { type: "citations_delta"; citation: Citation };

/** What happens to the content of an answer; `index` counts the content blocks from 0, without gaps. */
export type ContentEvent =
  | { type: "content_block_start"; index: number; content_block: ContentBlock }
  | { type: "content_block_delta"; index: number; delta: ContentDelta }
  | { type: "content_block_stop"; index: number };

export type AnswerContentOptions = {
  seals: Seals;
  /** Whether the client offered the server's search tool, so that it knows the blocks of searches. */
  showsSearches: boolean;
  /** Whether the text of thinking is left out of its blocks. */
  omitsThinking: boolean;
};

/** Bytes of the results of one search, which stand in one event. */
const maxResultsBytes = 45_000;
/** Characters of a cited page that a citation quotes. */
const maxCitedText = 150;

/** Derives Anthropic's content blocks from the events of one answer (clients.md §7 row 47). */
export class AnswerContent {
  readonly #options: AnswerContentOptions;
  readonly #blocks = new AnswerBlocks();
  readonly #sources = new Map<string, Source>();
  #nextIndex = 0;
  #openBlock: ContentBlock["type"] | undefined;
  #searchId = "";
  #searches = 0;
  #citations = 0;

  constructor(options: AnswerContentOptions) {
    this.#options = options;
  }

  /** The searches so far; undefined if the client does not know their blocks. */
  get searches(): number | undefined {
    return this.#options.showsSearches ? this.#searches : undefined;
  }

  /** Call it with every event of the answer. Throws as `AnswerBlocks` does. */
  onEvent(event: ChatEvent): ContentEvent[] {
    if (event.type === "source") this.#sources.set(event.source.url, event.source);
    return this.#blocks.onEvent(event).flatMap((each) => this.#toContent(each));
  }

  /** A text behind what there is, in a block of its own unless one of text is open. */
  appendText(text: string): ContentEvent[] {
    if (this.#openBlock === "text") return this.#textDeltas(text);
    const stop = this.#openBlock === undefined ? [] : this.#stop();
    return [...stop, ...this.#start({ type: "text", text: "" }), ...this.#textDeltas(text)];
  }

  #toContent(event: BlockEvent): ContentEvent[] {
    const { block } = event;
    switch (block.kind) {
      case "text":
        if (event.type === "start") return this.#start({ type: "text", text: "" });
        if (event.type === "delta") return this.#textDeltas(event.text);
        return [...this.#newCitations(), ...this.#stop()];
      case "reasoning":
        if (event.type === "start") return this.#start({ type: "thinking", thinking: "", signature: "" });
        if (event.type === "delta") return this.#thinkingDeltas(event.text);
        return this.#endThinking(event.text);
      case "tool-call":
        if (event.type === "start")
          return this.#start({ type: "tool_use", id: block.id, name: block.name, input: {} });
        if (event.type === "delta") return this.#inputDeltas(event.text);
        return this.#stop();
      case "search":
        if (!this.#options.showsSearches) return [];
        if (event.type === "start") return this.#beginSearch(block.queries);
        return event.type === "stop" ? this.#endSearch(block.sources) : [];
    }
  }

  #beginSearch(queries: readonly string[]): ContentEvent[] {
    this.#searches++;
    this.#searchId = `srvtoolu_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
    const query = JSON.stringify({ query: queries.join(", ") });
    return [
      ...this.#start({ type: "server_tool_use", id: this.#searchId, name: "web_search", input: {} }),
      ...this.#inputDeltas(query),
      ...this.#stop(),
    ];
  }

  /** As many results as fit into one event. */
  #endSearch(sources: readonly Source[]): ContentEvent[] {
    const content: WebSearchResult[] = [];
    let bytes = 0;
    for (const { title, url, published = null } of sources) {
      const encrypted_content = this.#options.seals.signResult(url);
      const result = {
        type: "web_search_result",
        title,
        url,
        encrypted_content,
        page_age: published,
      } as const;
      bytes += Buffer.byteLength(JSON.stringify(result));
      if (bytes > maxResultsBytes) break;
      content.push(result);
    }
    const block = { type: "web_search_tool_result", tool_use_id: this.#searchId, content } as const;
    return [...this.#start(block), ...this.#stop()];
  }

  #thinkingDeltas(text: string): ContentEvent[] {
    if (this.#options.omitsThinking) return [];
    return splitText(text).flatMap((thinking) => this.#delta({ type: "thinking_delta", thinking }));
  }

  #endThinking(thinking: string): ContentEvent[] {
    const { seals, omitsThinking: isOmitted } = this.#options;
    const signature = seals.signThinking(thinking, { isOmitted });
    return [...this.#delta({ type: "signature_delta", signature }), ...this.#stop()];
  }

  #textDeltas(text: string): ContentEvent[] {
    return splitText(text).flatMap((piece) => this.#delta({ type: "text_delta", text: piece }));
  }

  #inputDeltas(json: string): ContentEvent[] {
    return splitText(json).flatMap((partial_json) => this.#delta({ type: "input_json_delta", partial_json }));
  }

  /** The citations of words since the last call. */
  #newCitations(): ContentEvent[] {
    const cited = this.#blocks.annotations().filter(({ start, end }) => start < end);
    const added = cited.slice(this.#citations);
    this.#citations = cited.length;
    return added.flatMap(({ url, title }) => {
      const [cited_text = ""] = textChunks(this.#sources.get(url)?.snippet ?? "", maxCitedText);
      const encrypted_index = this.#options.seals.signResult(url);
      const type = "web_search_result_location";
      return this.#delta({
        type: "citations_delta",
        citation: { type, url, title, cited_text, encrypted_index },
      });
    });
  }

  #start(block: ContentBlock): ContentEvent[] {
    this.#openBlock = block.type;
    return [{ type: "content_block_start", index: this.#nextIndex, content_block: block }];
  }

  #delta(delta: ContentDelta): ContentEvent[] {
    return [{ type: "content_block_delta", index: this.#nextIndex, delta }];
  }

  #stop(): ContentEvent[] {
    this.#openBlock = undefined;
    return [{ type: "content_block_stop", index: this.#nextIndex++ }];
  }
}
