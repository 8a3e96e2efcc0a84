import type { Capabilities } from "../../core/capabilities.js";
import { GatewayError } from "../../core/errors.js";
import type { ChatEvent } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject, objectsIn, parseObject } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import type { SearchSources } from "../kimi-shared/search-sources.js";
import { DeltaFastPath } from "./delta-fast-path.js";
import { checkEcho, type SentTurn } from "./echo.js";
import { knownRoles, knownStatuses, roleName, statusName } from "./enums.js";
import { type Envelope, payloadText } from "./envelope.js";
import { wrongPlaceError } from "./errors.js";
import { FieldDrift } from "./field-drift.js";
import { MemoryNotice } from "./memory-notice.js";
import { MessageBlocks } from "./message-blocks.js";
import { toProtoJson } from "./page-json.js";
import type { ReceivedText } from "./text-blocks.js";

/** `continued`: the turn that continues a chat; the id of a new one comes with the stream. `stream`: see ChatInterpreter. */
export type InterpreterOptions = {
  continued?: SentTurn | undefined;
  stream: boolean;
  /** That of the account, which is given once. */
  memoryNotice?: MemoryNotice;
  /** Those of the account; without them everything is as assumed. */
  capabilities?: Pick<Capabilities, "has" | "contradict">;
};

/** An answer's message as the unary methods have it: its blocks, each with an id, its references and its final status. */
export type FinalMessage = {
  blocks: readonly JsonObject[];
  refs: JsonObject | undefined;
  status: "COMPLETED" | "TRUNCATED";
};

/** Heartbeats in a row after which Kimi waits for an answer to its question, with the stream open (kimi-web.md §6). */
const heartbeatsOfWaiting = 2;

/**
 * Interprets the stream of one `Chat` call (kimi-web.md §2.5): envelopes in, ChatEvents out, no I/O. The end-of-stream
 * envelope yields `finish` or throws the GatewayError of a failed answer. For a client that gets the answer whole, all
 * events but `chat-opened` come at the end, so that it gets what Kimi finally holds.
 */
export class ChatInterpreter {
  readonly #drift: ProtocolDrift;
  readonly #fieldDrift: FieldDrift;
  readonly #blocks: MessageBlocks;
  readonly #fastPath = new DeltaFastPath();
  readonly #continued: SentTurn | undefined;
  readonly #capabilities: InterpreterOptions["capabilities"];
  /** The events to emit at the end; undefined for a client that gets a stream. */
  readonly #held: ChatEvent[] | undefined;
  #chatId: string;
  #assistantId = "";
  #isChatOpened = false;
  #status = "";
  #isDone = false;
  #isComplete = false;
  #hasEnded = false;
  #heartbeats = 0;

  constructor(
    drift: ProtocolDrift,
    { continued, stream, memoryNotice = new MemoryNotice(), capabilities }: InterpreterOptions,
  ) {
    this.#drift = drift;
    this.#fieldDrift = new FieldDrift(drift);
    this.#blocks = new MessageBlocks(drift, { stream, memoryNotice });
    this.#held = stream ? undefined : [];
    this.#chatId = continued?.chat ?? "";
    this.#continued = continued;
    this.#capabilities = capabilities;
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

  get sources(): SearchSources {
    return this.#blocks.sources;
  }

  /** What was received of the texts; see AnswerText. */
  get receivedTexts(): readonly ReceivedText[] | undefined {
    return this.#blocks.text.received;
  }

  /** Whether the answer is complete or has failed for good. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Whether Kimi has ended the stream, too. It stays open while Kimi waits for the answer to a question. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * To be called when the response has ended properly. Without its trailer an answer is complete only if Kimi has sent both
   * its final status and `done`; otherwise throws: the reason that Kimi has named, if any.
   */
  onStreamEnd(out: ChatEvent[]): void {
    if (this.#isComplete) return;
    const isFinal = this.#isDone && this.#status !== "" && this.#status !== "GENERATING";
    if (!isFinal) {
      throw (
        this.#blocks.failures.namedError ??
        new GatewayError("upstream_cut", "Kimi's stream ended in the middle of the answer.")
      );
    }
    this.#drift.record("frame", "no-trailer");
    this.#hasEnded = true;
    this.#finish(this.#held ?? out);
    this.#release(out);
  }

  /**
   * Continues with the answer's final message in place of the rest of the stream: yields the events of its parts, of which
   * tool blocks precede the sources, and then those of the end. Throws as `interpret` does.
   */
  *interpretMessage({ blocks, refs, status }: FinalMessage): Generator<ChatEvent[]> {
    const collect = (add: (out: ChatEvent[]) => void) => {
      const events: ChatEvent[] = [];
      add(this.#held ?? events);
      return events;
    };
    const update = (block: JsonObject) => collect((out) => this.#blocks.update(block, "set", out));
    this.sources.readFromList();
    const behindTools = blocks.findLastIndex(({ tool }) => isObject(tool)) + 1;
    for (const block of blocks.slice(0, behindTools)) yield update(block);
    if (refs) yield collect((out) => this.#blocks.addRefs(refs, out));
    for (const block of blocks.slice(behindTools)) yield update(block);
    this.#status = status;
    const end: ChatEvent[] = [];
    this.#finish(this.#held ?? end);
    this.#release(end);
    yield end;
  }

  /** Appends the events of an envelope to `out`. False for a heartbeat. */
  interpret(envelope: Envelope, out: ChatEvent[]): boolean {
    const events = this.#held ?? out;
    // The hot path: almost every envelope extends the block of the one before.
    const text = envelope.isEndOfStream ? undefined : this.#fastPath.match(envelope);
    if (text !== undefined) {
      this.#heartbeats = 0;
      this.#blocks.text.append(this.#fastPath.blockId, this.#fastPath.channel, text, events);
      return true;
    }
    const hasProgressed = this.#interpretJson(envelope, events);
    this.#release(out);
    return hasProgressed;
  }

  /** Emits what is held back: `chat-opened` at once, all else at the end. */
  #release(out: ChatEvent[]): void {
    if (!this.#held) return;
    const opening = this.#held.findIndex(({ type }) => type === "chat-opened");
    if (opening !== -1) out.push(...this.#held.splice(opening, 1));
    if (this.#isComplete) out.push(...this.#held.splice(0));
  }

  #interpretJson(envelope: Envelope, out: ChatEvent[]): boolean {
    const payload = payloadText(envelope);
    // A frame of no bytes is an empty message.
    const parsed = payload === "" ? {} : parseObject(payload);
    if (!parsed) {
      throw new GatewayError(
        "upstream_protocol",
        "Kimi sent a frame that is not JSON. Is the base URL really Kimi's?",
      );
    }
    if (envelope.isEndOfStream) {
      this.#handleTrailer(parsed, out);
      return true;
    }
    if (parsed.op === "append") this.#fastPath.setTemplate(payload);
    return this.#handleEvent(toProtoJson(payload, parsed), out);
  }

  /** An event has one container as a rule, but may have several (kimi-web.md §2.5). */
  #handleEvent(event: JsonObject, out: ChatEvent[]): boolean {
    const failure = eventFailure(event);
    if (failure) {
      this.#drift.record("frame", "error");
      this.#isDone = true;
      throw this.#blocks.failures.trailerError(failure);
    }
    const { chat, message, block, notification, ref } = event;
    this.#fieldDrift.recordEvent(event);
    if (isObject(chat)) this.#handleChat(chat, out);
    if (isObject(message)) this.#handleMessage(message, out);
    if (isObject(block)) this.#blocks.update(block, event.op, out);
    if (isObject(notification)) this.#handleNotification(notification, out);
    if (isObject(ref)) this.#handleOldCitation(ref, out);
    if (event.done !== undefined) this.#isDone = true;
    const isHeartbeat = event.heartbeat !== undefined && !(chat || message || block || notification || ref);
    this.#heartbeats = isHeartbeat ? this.#heartbeats + 1 : 0;
    if (this.#heartbeats >= heartbeatsOfWaiting && this.#blocks.toolCalls.questions().length > 0) {
      this.#isDone = true;
      this.#finish(out);
    }
    return !isHeartbeat;
  }

  #handleChat(chat: JsonObject, out: ChatEvent[]): void {
    const id = asText(chat.id);
    if (this.#continued && id !== undefined && id !== this.#continued.chat) throw wrongPlaceError();
    this.#chatId ||= id ?? "";
    this.#emitChatOpened(out);
  }

  #handleMessage(message: JsonObject, out: ChatEvent[]): void {
    const refs = asObject(message.refs);
    if (refs) this.#blocks.addRefs(refs, out);
    const id = asText(message.id) ?? "";
    const role = roleName(message.role);
    if (!knownRoles.has(role)) this.#drift.record("role", role);
    if (role === "user" && this.#continued)
      checkEcho(message, this.#continued, { drift: this.#drift, capabilities: this.#capabilities });
    if (role === "assistant") {
      this.#assistantId = id;
      this.#emitChatOpened(out);
      this.#handleWholeBlocks(message, out);
    }
    // The user's own message is echoed as COMPLETED; only the status of the answer counts.
    const status = statusName(message.status);
    if (status === "" || id === "" || id !== this.#assistantId) return;
    if (!knownStatuses.has(status)) this.#drift.record("status", status);
    else this.#status = status;
  }

  /** The answer's blocks in its message, as ListMessages has them (kimi-web.md §2.5). */
  #handleWholeBlocks(message: JsonObject, out: ChatEvent[]): void {
    for (const block of objectsIn(message.blocks)) {
      // Without its id a block cannot be told from one that was sent before.
      if (asText(block.id) === undefined) this.#drift.record("field", "message.blocks");
      else this.#blocks.update(block, "set", out);
    }
  }

  #emitChatOpened(out: ChatEvent[]): void {
    if (this.#isChatOpened || !this.#chatId || !this.#assistantId) return;
    this.#isChatOpened = true;
    out.push({ type: "chat-opened", chat: this.#chatId, message: this.#assistantId });
  }

  /** The citation event of 2025; what is in its search is not known but for its name (kimi-web.md §2.5). */
  #handleOldCitation({ search }: JsonObject, out: ChatEvent[]): void {
    this.sources.addResults([search], out);
    this.sources.addResults(asObject(search)?.webPages, out);
  }

  #handleNotification(notification: JsonObject, out: ChatEvent[]): void {
    const type = (asText(notification.type) ?? "").replace(/^TYPE_/, "");
    if (type !== "MODEL_DEGRADE") this.#drift.record("notification", type);
    const message = asText(notification.message);
    if (message) out.push({ type: "notice", code: type.toLowerCase() || "notification", message });
  }

  /** The trailer (flag 0x02): `{}` or `{"error":…}`. An error may follow even a `done` (kimi-web.md §2.5). */
  #handleTrailer(trailer: JsonObject, out: ChatEvent[]): void {
    this.#isComplete = this.#hasEnded = true;
    if (isObject(trailer.error)) throw this.#blocks.failures.trailerError(trailer.error);
    this.#finish(out);
  }

  /** Emits the end of the answer. Throws if it has failed or is empty. */
  #finish(out: ChatEvent[]): void {
    this.#isComplete = true;
    const { failures, text, toolCalls, results } = this.#blocks;
    failures.throwIfFailed(this.#status, this.#isDone);
    if (failures.isRetracted) {
      out.push(...failures.notices(), { type: "finish", reason: "content-filter" });
      return;
    }
    text.flush(out);
    for (const paragraph of [...toolCalls.questions(), ...results.paragraphs()])
      text.addParagraph(paragraph, out);
    this.sources.recordUnknownCitations();
    toolCalls.recordUnreadable(this.#drift);
    if (text.length === 0 && toolCalls.isEmpty)
      throw (
        failures.namedError ?? new GatewayError("upstream_protocol", "Kimi sent an empty answer. Try again.")
      );
    const reason = this.#status === "TRUNCATED" ? "length" : "stop";
    const exactness = text.isInexact ? ({ isInexact: true } as const) : {};
    out.push(...failures.notices(), { type: "finish", reason, ...exactness });
  }
}

/** The error object of a frame that is no trailer but has one, as the trailer has it or bare. */
function eventFailure(event: JsonObject): JsonObject | undefined {
  if (isObject(event.error)) return event.error;
  const isBare = event.op === undefined && asText(event.code) !== undefined;
  return isBare && (asText(event.message) !== undefined || Array.isArray(event.details)) ? event : undefined;
}
