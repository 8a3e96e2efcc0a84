import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, FinishReason } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject, parseObject, textsIn } from "../../lib/json.js";
import type { Drift } from "../../observability/protocol-drift.js";
import { Sources } from "../kimi-shared/search-sources.js";
import { NextWords } from "./delta-fast-path.js";
import { type Frame, payloadOf } from "./envelope.js";
import { failureToError, readFailure } from "./errors.js";
import { Spoken } from "./text-blocks.js";

/** Block kinds that carry nothing for a chat client (kimi-web.md §2.5). */
const silentBlocks = new Set(["stage", "multiStage", "file", "memory", "artifact", "resourceLink"]);
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

/**
 * Interprets the events of one `Chat` call (kimi-web.md §2.5): frames in, ChatEvents out, no I/O.
 * Reading the end frame yields `finish` or throws the GatewayError that the answer ended with.
 */
export class ChatInterpreter {
  readonly #drift: Drift;
  readonly #tools: { id: string; name: string; args: string; announced: boolean }[] = [];
  readonly #sources = new Sources();
  readonly #spoken: Spoken;
  readonly #nextWords = new NextWords();
  #chatId: string;
  #assistantId = "";
  #opened = false;
  #status = "";
  #done = false;
  #retracted = false;
  #failure: GatewayError | undefined;
  #usedTool = false;
  #ended = false;

  /** `continued` is the chat that this turn continues; a new chat's id comes with the stream. */
  constructor(drift: Drift, continued = "") {
    this.#drift = drift;
    this.#spoken = new Spoken(drift, this.#sources);
    this.#chatId = continued;
  }

  /** The ids that `CancelChat` needs; undefined until Kimi has named them or once the answer is over. */
  get running(): { chat: string; message: string } | undefined {
    if (!this.#assistantId || !this.#chatId || this.#ended || this.#done) return undefined;
    return { chat: this.#chatId, message: this.#assistantId };
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Adds what the frame means to `out`; true if it was more than a heartbeat. */
  read(frame: Frame, out: ChatEvent[]): boolean {
    // The hot path first: almost every frame adds words to the block that spoke before it.
    const words = frame.last ? undefined : this.#nextWords.read(frame);
    if (words !== undefined) {
      this.#spoken.say(this.#nextWords.block, this.#nextWords.voice, words, out);
      return true;
    }
    return this.#parse(frame, out);
  }

  #parse(frame: Frame, out: ChatEvent[]): boolean {
    const payload = payloadOf(frame);
    const event = parseObject(payload);
    if (!event) {
      throw new GatewayError(
        "upstream_protocol",
        "Kimi sent a frame that is not JSON. Is the base URL really Kimi's?",
      );
    }
    if (frame.last) {
      this.#end(event, out);
      return true;
    }
    if (event.op === "append") this.#nextWords.learn(payload);
    return this.#event(event, out);
  }

  #event(event: JsonObject, out: ChatEvent[]): boolean {
    if (isObject(event.block)) this.#block(event.block, event, out);
    else if (isObject(event.message)) this.#message(event.message, out);
    else if (isObject(event.chat)) this.#chat(event.chat, out);
    else if (event.heartbeat !== undefined) return false;
    else if (event.done !== undefined) this.#done = true;
    else if (isObject(event.notification)) this.#notification(event.notification, out);
    else
      this.#drift.note(
        "container",
        Object.keys(event).find((key) => !/^(op|mask|eventOffset)$/.test(key)) ?? "none",
      );
    if (event.op !== "set" && event.op !== "append" && !this.#done)
      this.#drift.note("op", asText(event.op) ?? "none");
    return true;
  }

  #chat(chat: JsonObject, out: ChatEvent[]): void {
    this.#chatId ||= asText(chat.id) ?? "";
    this.#announce(out);
  }

  #message(message: JsonObject, out: ChatEvent[]): void {
    const refs = asObject(message.refs);
    if (refs) {
      this.#sources.read(refs.searchChunks, out);
      this.#sources.read(refs.usedSearchChunks, out);
    }
    const id = asText(message.id) ?? "";
    if (message.role === "assistant") {
      this.#assistantId = id;
      this.#announce(out);
    }
    // The user's own message comes back as COMPLETED; only the answer's status counts.
    const status = (asText(message.status) ?? "").replace(/^MESSAGE_STATUS_/, "");
    if (status === "" || id === "" || id !== this.#assistantId) return;
    if (!knownStatuses.has(status)) this.#drift.note("status", status);
    else this.#status = status;
  }

  #announce(out: ChatEvent[]): void {
    if (this.#opened || !this.#chatId || !this.#assistantId) return;
    this.#opened = true;
    out.push({ type: "opened", chat: this.#chatId, message: this.#assistantId });
  }

  #block(block: JsonObject, event: JsonObject, out: ChatEvent[]): void {
    const id = asText(block.id) ?? "";
    const exception = asObject(block.exception) ?? asObject(block.error);
    if (isObject(block.text)) this.#spoken.hear(id, "text", block.text.content, event.op, out);
    else if (isObject(block.think)) this.#spoken.hear(id, "think", block.think.content, event.op, out);
    else if (isObject(block.tool)) this.#tool(id, block.tool, event, out);
    else if (exception) this.#exception(asObject(exception.error) ?? exception, out);
    else if (isObject(block.search)) this.#legacySearch(block.search, out);
    else this.#unspoken(block);
  }

  #unspoken(block: JsonObject): void {
    for (const kind of Object.keys(block)) {
      if (!blockFields.has(kind) && !silentBlocks.has(kind)) this.#drift.note("block", kind);
    }
  }

  #tool(id: string, tool: JsonObject, event: JsonObject, out: ChatEvent[]): void {
    this.#usedTool = true;
    let known = this.#tools.find((candidate) => candidate.id === id);
    if (!known) {
      known = { id, name: "", args: "", announced: false };
      this.#tools.push(known);
    }
    known.name ||= asText(tool.name) ?? "";
    const args = asText(tool.args) ?? "";
    known.args = event.op === "append" ? known.args + args : args || known.args;
    if (known.args.length > limits.frame)
      throw new GatewayError("upstream_protocol", "Kimi's tool call never ends.");
    this.#sources.read(tool.contents, out);
    if (known.announced || !known.name.includes("search")) return;
    const queries = textsIn(parseObject(known.args)?.queries);
    if (queries.length === 0) return;
    known.announced = true;
    out.push({ type: "search", queries });
  }

  /** The search block of 2025 and early 2026, before search became a tool. */
  #legacySearch(search: JsonObject, out: ChatEvent[]): void {
    const queries = textsIn(search.keywords);
    if (queries.length > 0) out.push({ type: "search", queries });
    this.#sources.read(search.webPages, out);
  }

  #exception(error: JsonObject, out: ChatEvent[]): void {
    const failure = readFailure(error);
    if (!knownSeverities.has(failure.severity)) this.#drift.note("severity", failure.severity);
    const withdrawn = failure.severity.endsWith("_RETRACT");
    const problem = failureToError(failure, this.#drift);
    if (failure.severity === "INFO") {
      out.push({
        type: "notice",
        code: problem.upstreamCode ?? "info",
        message: failure.sentence ?? problem.message,
      });
      return;
    }
    const filtered = problem.code === "content_filter";
    if (filtered && !withdrawn && this.#spoken.length === 0) this.#failure = problem;
    else if (filtered || (withdrawn && problem.upstreamCode === "unknown"))
      this.#retract(problem.message, out);
    else this.#failure ??= problem;
  }

  #retract(message: string, out: ChatEvent[]): void {
    this.#retracted = true;
    if (this.#spoken.length === 0) {
      this.#failure ??= new GatewayError("content_filter", message, { upstreamCode: "CONTENT_FILTER" });
      return;
    }
    out.push({ type: "notice", code: "content_filter", message }, { type: "retract" });
  }

  #notification(notification: JsonObject, out: ChatEvent[]): void {
    const type = (asText(notification.type) ?? "").replace(/^TYPE_/, "");
    if (type !== "MODEL_DEGRADE") this.#drift.note("notification", type);
    const message = asText(notification.message);
    if (message) out.push({ type: "notice", code: type.toLowerCase() || "notification", message });
  }

  /** The 0x02 frame: `{}` or `{"error":…}`; an error may follow even a `done` (kimi-web.md §2.5). */
  #end(trailer: JsonObject, out: ChatEvent[]): void {
    this.#ended = true;
    if (isObject(trailer.error)) throw failureToError(readFailure(trailer.error), this.#drift);
    if (this.#failure) throw this.#failure;
    if (!this.#retracted) this.#spoken.flush(out);
    out.push({ type: "finish", reason: this.#finishReason() });
  }

  #finishReason(): FinishReason {
    if (this.#retracted) return "content-filter";
    if (this.#status === "ERROR") {
      throw new GatewayError(
        "upstream_unavailable",
        "Kimi failed while it was answering and did not say why.",
      );
    }
    if (this.#status === "CANCELLED") {
      throw new GatewayError(
        "upstream_cut",
        "This answer was stopped on Kimi's side before it was complete.",
      );
    }
    if (this.#status !== "COMPLETED" && this.#status !== "TRUNCATED" && !this.#done) {
      throw new GatewayError(
        "upstream_cut",
        "Kimi ended the stream without saying that the answer is complete.",
      );
    }
    if (this.#spoken.length === 0 && !this.#usedTool) {
      throw new GatewayError("upstream_protocol", "Kimi sent an empty answer. Try again.");
    }
    return this.#status === "TRUNCATED" ? "length" : "stop";
  }
}
