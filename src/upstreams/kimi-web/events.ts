import { type ErrorCode, GatewayError } from "../../core/errors.js";
import type { ChatEvent, FinishReason } from "../../core/types.js";
import {
  asObject,
  asText,
  isObject,
  type JsonObject,
  objectsIn,
  parseObject,
  textsIn,
} from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { SearchSources } from "../kimi-shared/search-sources.js";
import { DeltaFastPath } from "./delta-fast-path.js";
import { type Envelope, payloadText } from "./envelope.js";
import { failureToError, isKnownReason, type KimiFailure, parseFailure, wrongPlaceError } from "./errors.js";
import { TextBlocks } from "./text-blocks.js";
import { ToolCalls } from "./tool-calls.js";

/** Block kinds without content for a chat client (kimi-web.md §2.5). */
const ignoredBlocks = new Set(["stage", "multiStage", "file", "memory", "artifact", "resourceLink"]);
const blockFields = new Set(["id", "parentId", "messageId", "createTime"]);
const knownStatuses = new Set([
  "UNSPECIFIED",
  "GENERATING",
  "PENDING",
  "COMPLETED",
  "CANCELLED",
  "TRUNCATED",
  "ERROR",
]);
const knownSeverities = new Set(["", "INFO", "BLOCK_RETRACT", "MESSAGE_RETRACT"]);

/** What a turn that continues a chat has sent, to be compared with what Kimi echoes. */
export type SentTurn = { chat: string; parent: string; text: string };

/**
 * Interprets the stream of one `Chat` call (kimi-web.md §2.5): envelopes in, ChatEvents out, no I/O. The end-of-stream
 * envelope yields `finish` or throws the GatewayError of a failed answer.
 */
export class ChatInterpreter {
  readonly #drift: ProtocolDrift;
  readonly sources: SearchSources;
  readonly #toolCalls: ToolCalls;
  readonly #textBlocks: TextBlocks;
  readonly #fastPath = new DeltaFastPath();
  #chatId: string;
  #assistantId = "";
  #isChatOpened = false;
  #status = "";
  #isDone = false;
  #isRetracted = false;
  /** The exception that failed the answer by its severity. */
  #failure: GatewayError | undefined;
  /** The last exception with a reason, whatever its severity: the error if the answer fails (kimi-web.md §2.9). */
  #namedFailure: { error: GatewayError; isKnown: boolean } | undefined;
  /** Exceptions of severity INFO, as notices for an answer that does not fail. */
  readonly #notices: ChatEvent[] = [];
  #isComplete = false;
  readonly #continued: SentTurn | undefined;

  /** `continued`: the turn that continues a chat. The id of a new chat comes with the stream. */
  constructor(drift: ProtocolDrift, continued?: SentTurn) {
    this.#drift = drift;
    this.sources = new SearchSources(drift);
    this.#toolCalls = new ToolCalls(this.sources);
    this.#textBlocks = new TextBlocks(drift, this.sources);
    this.#chatId = continued?.chat ?? "";
    this.#continued = continued;
  }

  /** The ids for `CancelChat`; undefined until Kimi has sent them, and once the answer is over. */
  get cancelTarget(): { chat: string; message: string } | undefined {
    if (!this.#assistantId || !this.#chatId || this.#isComplete || this.#isDone) return undefined;
    return { chat: this.#chatId, message: this.#assistantId };
  }

  /** The ids of the chat and of the answer; empty until Kimi has sent them. */
  get ids(): { chat: string; message: string } {
    return { chat: this.#chatId, message: this.#assistantId };
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** To be called at the end of the stream. Throws unless its trailer has come: the reason that Kimi has named, if any. */
  onStreamEnd(): void {
    if (this.#isComplete) return;
    throw (
      this.#namedFailure?.error ??
      new GatewayError("upstream_cut", "Kimi's stream ended in the middle of the answer.")
    );
  }

  /** Appends the events of an envelope to `out`. False for a heartbeat. */
  interpret(envelope: Envelope, out: ChatEvent[]): boolean {
    // The hot path: almost every envelope extends the block of the one before.
    const text = envelope.isEndOfStream ? undefined : this.#fastPath.match(envelope);
    if (text !== undefined) {
      this.#textBlocks.append(this.#fastPath.blockId, this.#fastPath.channel, text, out);
      return true;
    }
    return this.#interpretJson(envelope, out);
  }

  #interpretJson(envelope: Envelope, out: ChatEvent[]): boolean {
    const payload = payloadText(envelope);
    const event = parseObject(payload);
    if (!event) {
      throw new GatewayError(
        "upstream_protocol",
        "Kimi sent a frame that is not JSON. Is the base URL really Kimi's?",
      );
    }
    if (envelope.isEndOfStream) {
      this.#handleTrailer(event, out);
      return true;
    }
    if (event.op === "append") this.#fastPath.setTemplate(payload);
    return this.#handleEvent(event, out);
  }

  #handleEvent(event: JsonObject, out: ChatEvent[]): boolean {
    if (isObject(event.block)) this.#handleBlock(event.block, event, out);
    else if (isObject(event.message)) this.#handleMessage(event.message, out);
    else if (isObject(event.chat)) this.#handleChat(event.chat, out);
    else if (event.heartbeat !== undefined) return false;
    else if (event.done !== undefined) this.#isDone = true;
    else if (isObject(event.notification)) this.#handleNotification(event.notification, out);
    else
      this.#drift.record(
        "container",
        Object.keys(event).find((key) => !/^(op|mask|eventOffset)$/.test(key)) ?? "none",
      );
    if (event.op !== "set" && event.op !== "append" && !this.#isDone)
      this.#drift.record("op", asText(event.op) ?? "none");
    return true;
  }

  #handleChat(chat: JsonObject, out: ChatEvent[]): void {
    const id = asText(chat.id);
    if (this.#continued && id !== undefined && id !== this.#continued.chat) throw wrongPlaceError();
    this.#chatId ||= id ?? "";
    this.#emitChatOpened(out);
  }

  /**
   * Kimi echoes the user message with its parent (kimi-web.md §2.5). Another parent means that the answer would not follow
   * the conversation it was requested for. The text is only counted as drift: how Kimi normalises it is not known.
   */
  #checkEcho(message: JsonObject, continued: SentTurn): void {
    const parent = asText(message.parentId) ?? asText(message.parent_id);
    if (parent === undefined) this.#drift.record("echo", "parent");
    else if (parent !== continued.parent) throw wrongPlaceError();
    const text = objectsIn(message.blocks).map((block) => asText(asObject(block.text)?.content) ?? "");
    if (text.join("") !== continued.text) this.#drift.record("echo", "text");
  }

  #handleMessage(message: JsonObject, out: ChatEvent[]): void {
    const refs = asObject(message.refs);
    if (refs) {
      this.sources.addResults(refs.searchChunks, out);
      this.sources.addResults(refs.usedSearchChunks, out);
    }
    const id = asText(message.id) ?? "";
    if (message.role === "user" && this.#continued) this.#checkEcho(message, this.#continued);
    if (message.role === "assistant") {
      this.#assistantId = id;
      this.#emitChatOpened(out);
    }
    // The user's own message is echoed as COMPLETED; only the status of the answer counts.
    const status = (asText(message.status) ?? "").replace(/^MESSAGE_STATUS_/, "");
    if (status === "" || id === "" || id !== this.#assistantId) return;
    if (!knownStatuses.has(status)) this.#drift.record("status", status);
    else this.#status = status;
  }

  #emitChatOpened(out: ChatEvent[]): void {
    if (this.#isChatOpened || !this.#chatId || !this.#assistantId) return;
    this.#isChatOpened = true;
    out.push({ type: "chat-opened", chat: this.#chatId, message: this.#assistantId });
  }

  #handleBlock(block: JsonObject, event: JsonObject, out: ChatEvent[]): void {
    const id = asText(block.id) ?? "";
    const exception = asObject(block.exception) ?? asObject(block.error);
    if (isObject(block.text)) this.#textBlocks.update(id, "text", block.text.content, event.op, out);
    else if (isObject(block.think)) this.#textBlocks.update(id, "think", block.think.content, event.op, out);
    else if (isObject(block.tool)) this.#toolCalls.update(id, block.tool, event.op, out);
    else if (exception) this.#handleException(asObject(exception.error) ?? exception, out);
    else if (isObject(block.search)) this.#handleLegacySearch(block.search, out);
    else this.#recordUnknownKinds(block);
  }

  #recordUnknownKinds(block: JsonObject): void {
    for (const kind of Object.keys(block)) {
      if (!blockFields.has(kind) && !ignoredBlocks.has(kind)) this.#drift.record("block", kind);
    }
  }

  /** The search block of 2025 and early 2026, before search became a tool. */
  #handleLegacySearch(search: JsonObject, out: ChatEvent[]): void {
    const queries = textsIn(search.keywords);
    if (queries.length > 0) out.push({ type: "search", queries });
    this.sources.addResults(search.webPages, out);
  }

  #handleException(error: JsonObject, out: ChatEvent[]): void {
    const failure = parseFailure(error);
    if (!knownSeverities.has(failure.severity)) this.#drift.record("severity", failure.severity);
    const isRetraction = failure.severity.endsWith("_RETRACT");
    const problem = failureToError(failure, this.#drift);
    const isKnown = isKnownReason(failure.reason);
    if (isKnown || (failure.reason !== "" && !this.#namedFailure?.isKnown))
      this.#namedFailure = { error: problem, isKnown };
    if (failure.severity === "INFO") {
      const message = failure.localizedMessage ?? problem.message;
      this.#notices.push({ type: "notice", code: problem.upstreamCode ?? "info", message });
      return;
    }
    const isFiltered = problem.code === "content_filter";
    if (isFiltered && !isRetraction && this.#textBlocks.length === 0) this.#failure = problem;
    else if (isFiltered || (isRetraction && problem.upstreamCode === "unknown"))
      this.#retract(problem.message, out);
    else this.#failure ??= problem;
  }

  #retract(message: string, out: ChatEvent[]): void {
    this.#isRetracted = true;
    if (this.#textBlocks.length === 0) {
      this.#failure ??= new GatewayError("content_filter", message, { upstreamCode: "CONTENT_FILTER" });
      return;
    }
    out.push({ type: "notice", code: "content_filter", message }, { type: "retract" });
  }

  #handleNotification(notification: JsonObject, out: ChatEvent[]): void {
    const type = (asText(notification.type) ?? "").replace(/^TYPE_/, "");
    if (type !== "MODEL_DEGRADE") this.#drift.record("notification", type);
    const message = asText(notification.message);
    if (message) out.push({ type: "notice", code: type.toLowerCase() || "notification", message });
  }

  /** The trailer (flag 0x02): `{}` or `{"error":…}`. An error may follow even a `done` (kimi-web.md §2.5). */
  #handleTrailer(trailer: JsonObject, out: ChatEvent[]): void {
    this.#isComplete = true;
    if (isObject(trailer.error)) throw this.#trailerError(parseFailure(trailer.error));
    if (this.#failure) throw this.#namedFailure?.error ?? this.#failure;
    if (!this.#isRetracted) this.#textBlocks.flush(out);
    const reason = this.#finishReason();
    out.push(...this.#notices, { type: "finish", reason });
  }

  /** A trailer may have a mere code for what an exception has named; a refused login has a code of its own. */
  #trailerError(failure: KimiFailure): GatewayError {
    const error = failureToError(failure, this.#drift);
    const isSpecific = failure.reason !== "" || error.code === "account_login_required";
    return isSpecific ? error : (this.#namedFailure?.error ?? error);
  }

  #finishReason(): FinishReason {
    if (this.#isRetracted) return "content-filter";
    const failure = this.#statusFailure();
    if (failure) throw this.#namedFailure?.error ?? failure;
    return this.#status === "TRUNCATED" ? "length" : "stop";
  }

  /** Why the answer failed, as far as its status and content tell; undefined if it is a good one. */
  #statusFailure(): GatewayError | undefined {
    const fail = (code: ErrorCode, message: string) => new GatewayError(code, message);
    if (this.#status === "ERROR")
      return fail("upstream_unavailable", "Kimi failed while it was answering and did not say why.");
    if (this.#status === "CANCELLED")
      return fail("upstream_cut", "This answer was stopped on Kimi's side before it was complete.");
    if (this.#status !== "COMPLETED" && this.#status !== "TRUNCATED" && !this.#isDone)
      return fail("upstream_cut", "Kimi ended the stream without saying that the answer is complete.");
    if (this.#textBlocks.length === 0 && this.#toolCalls.isEmpty)
      return fail("upstream_protocol", "Kimi sent an empty answer. Try again.");
    return undefined;
  }
}
