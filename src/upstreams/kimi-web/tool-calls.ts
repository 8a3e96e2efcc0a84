import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent } from "../../core/types.js";
import { asText, type JsonObject, objectsIn, parseObject, textsIn } from "../../lib/json.js";
import type { SearchSources } from "../kimi-shared/search-sources.js";

/** `callId`: Kimi's id of the call, which changes once when it starts to run (kimi-web.md §5.3). */
type ToolCall = { name: string; args: string; callId: string; isAnnounced: boolean };

/** The tool blocks of one answer, in which Kimi searches: emits the queries, and collects the sources (kimi-web.md §2.6). */
export class ToolCalls {
  readonly #sources: SearchSources;
  readonly #calls = new Map<string, ToolCall>();
  /** Characters of the arguments of all calls. */
  #argsLength = 0;

  constructor(sources: SearchSources) {
    this.#sources = sources;
  }

  get isEmpty(): boolean {
    return this.#calls.size === 0;
  }

  /** Applies one `set` or `append` of the block with this id. Throws GatewayError for an answer without end. */
  update(id: string, tool: JsonObject, op: unknown, out: ChatEvent[]): void {
    const call = this.#getOrCreate(id);
    call.name ||= asText(tool.name) ?? "";
    const args = asText(tool.args) ?? "";
    this.#argsLength += args.length;
    if (this.#argsLength > limits.answerText) throw endlessAnswerError();
    call.args = op === "append" ? call.args + args : args || call.args;
    call.callId = asText(tool.toolCallId) ?? call.callId;
    this.#collectSources(call, tool, out);
    this.#announce(call, out);
  }

  #getOrCreate(id: string): ToolCall {
    const known = this.#calls.get(id);
    if (known) return known;
    if (this.#calls.size >= limits.answerBlocks) throw endlessAnswerError();
    const call = { name: "", args: "", callId: "", isAnnounced: false };
    this.#calls.set(id, call);
    return call;
  }

  /** The contents may have to be requested (kimi-web.md §6 #16). */
  #collectSources({ callId }: ToolCall, tool: JsonObject, out: ChatEvent[]): void {
    this.#sources.addResults(tool.contents, out);
    const isExternal = asText(tool.loadType)?.endsWith("_EXTERNAL") && objectsIn(tool.contents).length === 0;
    if (isExternal && callId) this.#sources.addToolCall(callId);
  }

  #announce(call: ToolCall, out: ChatEvent[]): void {
    if (call.isAnnounced || !call.name.includes("search")) return;
    // Incomplete arguments are parsed again with each piece; those of a search are short.
    if (call.args.length > limits.searchArguments) return;
    const queries = textsIn(parseObject(call.args)?.queries);
    if (queries.length === 0) return;
    call.isAnnounced = true;
    out.push({ type: "search", queries });
  }
}

function endlessAnswerError(): GatewayError {
  return new GatewayError("upstream_protocol", "Kimi's answer has more tool calls than any real one.");
}
