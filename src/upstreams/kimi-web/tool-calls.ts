import { limits } from "../../core/limits.js";
import type { ChatEvent } from "../../core/types.js";
import { asText, type JsonObject, objectsIn, parseObject, textsIn } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { endlessAnswerError } from "../kimi-shared/errors.js";
import type { SearchSources } from "../kimi-shared/search-sources.js";
import type { AnswerResults } from "./answer-results.js";
import { askUserTool, questionsText } from "./questions.js";

/** `callId`: Kimi's id of the call, which changes once when it starts to run (kimi-web.md §5.3). */
type ToolCall = { name: string; args: string; callId: string; isAnnounced: boolean; hasContents: boolean };

/**
 * The tool blocks of one answer, in which Kimi searches and asks back: emits the queries, and collects the sources
 * (kimi-web.md §2.6), other results and the questions.
 */
export class ToolCalls {
  readonly #sources: SearchSources;
  readonly #results: AnswerResults;
  readonly #calls = new Map<string, ToolCall>();
  /** Characters of the arguments of all calls. */
  #argsLength = 0;

  constructor(sources: SearchSources, results: AnswerResults) {
    this.#sources = sources;
    this.#results = results;
  }

  /** Whether there is no call but questions, which are text of the answer. */
  get isEmpty(): boolean {
    return [...this.#calls.values()].every(({ name }) => name === askUserTool);
  }

  /** The questions that Kimi asks the user, as Markdown; those whose arguments are incomplete are left out. */
  questions(): string[] {
    const asked = [...this.#calls.values()].filter(({ name }) => name === askUserTool);
    return asked.flatMap(({ args }) => questionsText(args) ?? []);
  }

  /** Counts questions that cannot be read as protocol drift. */
  recordUnreadable(drift: ProtocolDrift): void {
    for (const { name, args } of this.#calls.values())
      if (name === askUserTool && questionsText(args) === undefined) drift.record("field", "block.tool.args");
  }

  /** Applies one `set` or `append` of the block with this id. Throws GatewayError for an answer without end. */
  update(id: string, tool: JsonObject, op: unknown, out: ChatEvent[]): void {
    const call = this.#getOrCreate(id);
    call.name ||= asText(tool.name) ?? "";
    const args = asText(tool.args) ?? "";
    this.#argsLength += args.length;
    if (this.#argsLength > limits.answerText) throw endlessAnswerError("tool calls");
    call.args = op === "append" ? call.args + args : args || call.args;
    call.callId = asText(tool.toolCallId) ?? call.callId;
    this.#collectSources(call, tool, out);
    this.#announce(call, out);
  }

  #getOrCreate(id: string): ToolCall {
    const known = this.#calls.get(id);
    if (known) return known;
    if (this.#calls.size >= limits.answerBlocks) throw endlessAnswerError("tool calls");
    const call = { name: "", args: "", callId: "", isAnnounced: false, hasContents: false };
    this.#calls.set(id, call);
    return call;
  }

  /** The contents may have to be requested (kimi-web.md §6 #16). */
  #collectSources(call: ToolCall, tool: JsonObject, out: ChatEvent[]): void {
    call.hasContents ||= objectsIn(tool.contents).length > 0;
    this.#sources.addResults(tool.contents, out);
    this.#results.addToolContents(tool.contents);
    const isExternal = asText(tool.loadType)?.endsWith("_EXTERNAL") && !call.hasContents;
    if (isExternal && call.callId) this.#sources.addToolCall(call.callId);
  }

  #announce(call: ToolCall, out: ChatEvent[]): void {
    if (call.isAnnounced || call.name === "" || call.name === askUserTool) return;
    if (!call.name.includes("search")) {
      call.isAnnounced = true;
      out.push({ type: "service-tool", name: call.name });
      return;
    }
    // Incomplete arguments are parsed again with each piece; those of a search are short.
    if (call.args.length > limits.searchArguments) return;
    const queries = textsIn(parseObject(call.args)?.queries);
    if (queries.length === 0) return;
    call.isAnnounced = true;
    this.#sources.announceSearch();
    out.push({ type: "search", queries });
  }
}
