import type { ChatEvent } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject, textsIn } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { SearchSources } from "../kimi-shared/search-sources.js";
import { AnswerFailures } from "./answer-failures.js";
import { AnswerResults, isResultBlock } from "./answer-results.js";
import { HeldText } from "./held-text.js";
import type { MemoryNotice } from "./memory-notice.js";
import { type AnswerText, StreamedText } from "./text-blocks.js";
import { ToolCalls } from "./tool-calls.js";

/** The blocks of one answer's message (kimi-web.md §2.5), by what each kind of them means for the answer. */
export class MessageBlocks {
  readonly sources: SearchSources;
  readonly text: AnswerText;
  readonly failures: AnswerFailures;
  readonly results = new AnswerResults();
  readonly toolCalls: ToolCalls;
  readonly #memoryNotice: MemoryNotice;

  /** `stream`: whether text is emitted as it comes, or when it is flushed. */
  constructor(
    drift: ProtocolDrift,
    { stream, memoryNotice }: { stream: boolean; memoryNotice: MemoryNotice },
  ) {
    this.sources = new SearchSources(drift);
    this.text = stream ? new StreamedText(drift, this.sources) : new HeldText(drift, this.sources);
    this.failures = new AnswerFailures(drift, this.text);
    this.toolCalls = new ToolCalls(this.sources, this.results);
    this.#memoryNotice = memoryNotice;
  }

  /** Applies one `set` or `append` of a block. */
  update(block: JsonObject, op: unknown, out: ChatEvent[]): void {
    const id = asText(block.id) ?? "";
    const exception = asObject(block.exception) ?? asObject(block.error);
    if (isObject(block.text)) this.text.update(id, "text", block.text.content, op, out);
    if (isObject(block.think)) this.text.update(id, "think", block.think.content, op, out);
    if (isObject(block.tool)) this.toolCalls.update(id, block.tool, op, out);
    if (isObject(block.memory)) this.#memoryNotice.emit(out);
    if (exception) this.failures.addException(id, asObject(exception.error) ?? exception, out);
    if (isObject(block.search)) this.#updateLegacySearch(block.search, out);
    for (const [name, fields] of Object.entries(block))
      if (isResultBlock(name) && isObject(fields)) this.results.updateBlock(id, name, fields, op);
  }

  /** The sources and other results that the message refers to. */
  addRefs(refs: JsonObject, out: ChatEvent[]): void {
    this.sources.addResults(refs.searchChunks, out);
    this.sources.addResults(refs.usedSearchChunks, out);
    this.results.addRefs(refs);
  }

  /** The search block of 2025 and early 2026, before search became a tool. */
  #updateLegacySearch(search: JsonObject, out: ChatEvent[]): void {
    const queries = textsIn(search.keywords);
    if (queries.length > 0) {
      this.sources.announceSearch();
      out.push({ type: "search", queries });
    }
    this.sources.addResults(search.webPages, out);
  }
}
