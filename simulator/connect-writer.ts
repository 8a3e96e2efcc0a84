import { AnswerContent } from "./answer-content.js";
import { withSingleSpaces } from "./capabilities.js";
import type { ChatTurn } from "./chats.js";
import { encodeEnvelope, endOfStreamFlag } from "./envelope.js";
import { ApiError, errorJson, localizedMessage, paywallJson } from "./errors.js";
import * as events from "./events.js";
import type { WireOptions } from "./faults.js";
import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import type { AnswerWriter } from "./player.js";
import type { ResponseWriter } from "./response-writer.js";
import {
  createSearchChunks,
  finishedSearchBlock,
  isCited,
  type SearchChunk,
  type StreamedChunk,
  searchFrames,
  streamedChunks,
} from "./search.js";
import type { MessageStatus, StepOf, StreamPosition } from "./steps.js";

export type ConnectWriterOptions = {
  wireOptions: WireOptions;
  /** Metadata of the attached files, sent before the echo of the user message. */
  files: readonly JsonObject[];
  /** The language of error messages. */
  language: string;
};

/** Writes an answer as Connect frames; tracks event offsets, block ids and the open block. */
export class ConnectWriter implements AnswerWriter {
  readonly #responseWriter: ResponseWriter;
  readonly #turn: ChatTurn;
  readonly #wireOptions: WireOptions;
  readonly #files: readonly JsonObject[];
  readonly #language: string;
  readonly #content = new AnswerContent();
  #eventOffset = 0;
  #blockCount = 0;
  #searchCount = 0;
  /** The search results, and those of them that the stream has. */
  readonly #searchChunks: SearchChunk[] = [];
  readonly #streamedChunks: StreamedChunk[] = [];
  /** The open block: the next delta of the same kind is appended to it. */
  #currentBlock: { kind: "think" | "text"; id: string; parentId: string } | undefined;
  /** Writes the end of the open thinking stages; undefined if none are open. */
  #endThinking: (() => void) | undefined;

  constructor(
    responseWriter: ResponseWriter,
    turn: ChatTurn,
    { wireOptions, files, language }: ConnectWriterOptions,
  ) {
    this.#responseWriter = responseWriter;
    this.#turn = turn;
    this.#wireOptions = wireOptions;
    this.#files = files;
    this.#language = language;
  }

  /**
   * Heartbeat, chat, lastRequest, files, the messages, heartbeat, in this order (kimi-web.md §5.1); a new chat has an empty
   * system message before the user's (kimi-web.md §2.5, §6 row 15).
   */
  writeOpening(): void {
    const { isNew, system, assistant } = this.#turn;
    const { chat, user } = this.#echo();
    const files = this.#files;
    this.#responseWriter.writeFrame(events.firstHeartbeatEvent);
    if (isNew) this.#responseWriter.writeFrame(events.newChatEvent(this.#nextOffset(), chat));
    this.#responseWriter.writeFrame(events.lastRequestEvent(this.#nextOffset(), chat));
    if (files.length > 0) this.#writeEvent("append", "chat.files", { chat: { id: chat.id, files } });
    if (system) this.#responseWriter.writeFrame(events.newMessageEvent(this.#nextOffset(), system));
    this.#responseWriter.writeFrame(events.newMessageEvent(this.#nextOffset(), user));
    this.#responseWriter.writeFrame(events.newMessageEvent(this.#nextOffset(), assistant));
    this.writeHeartbeat();
  }

  /** The chat and the user message as the opening events name them. */
  #echo(): Pick<ChatTurn, "chat" | "user"> {
    const { chat, assistant } = this.#turn;
    const user = this.#wireOptions.spacedEcho
      ? { ...this.#turn.user, blocks: withSingleSpaces(this.#turn.user.blocks) }
      : this.#turn.user;
    switch (this.#wireOptions.wrongEcho) {
      case "chat":
        return { chat: { ...chat, id: assistant.id }, user };
      case "parent":
        return { chat, user: { ...user, parentId: assistant.id } };
      default:
        return { chat, user };
    }
  }

  writeHeartbeat(): void {
    this.#responseWriter.writeFrame(events.heartbeatEvent(this.#eventOffset));
  }

  /** Appends to the open block of this kind, or opens one (kimi-web.md §5.1, §5.2). */
  writeDelta(kind: "think" | "text", delta: string): void {
    if (this.#currentBlock?.kind !== kind) {
      this.#openBlock(kind, delta);
      return;
    }
    const { id, parentId } = this.#currentBlock;
    this.#content.append(delta);
    if (kind === "text" && this.#wireOptions.snapshot) this.#writeSnapshot(id, this.#content.currentContent);
    else
      this.#responseWriter.writeFrame(events.appendDeltaEvent(kind, this.#nextOffset(), id, parentId, delta));
  }

  /** Replaces the open text block by a `set` event, which readers must support (kimi-web.md §2.5). */
  writeRewrite(content: string): void {
    if (this.#currentBlock?.kind !== "text") {
      this.writeDelta("text", content);
      return;
    }
    const { id, parentId } = this.#currentBlock;
    this.#content.replace(content);
    this.#writeBlock("block.text", events.newBlock("text", id, parentId, content));
  }

  /**
   * A search as a tool call (kimi-web.md §5.3). What the stream leaves out of its results can be requested as soon as the
   * stream says so (kimi-web.md §6 row 16).
   */
  *writeSearch({ queries, sources, sourcesIn = "stream" }: StepOf<"search">): Generator<void> {
    this.#closeBlock();
    const searchIndex = this.#searchCount;
    this.#searchCount += 1;
    const chunks = createSearchChunks(sources, searchIndex);
    const search = { id: this.#nextBlockId(), searchIndex, queries, chunks, sourcesIn };
    const frames = searchFrames(search, this.#turn.assistant.id);
    for (const frame of frames) {
      const { op, mask, block } = frame;
      if (op === "set") this.#writeBlock(mask, block);
      else this.#writeEvent("append", mask, { block });
      if (frame === frames.at(-1)) {
        this.#content.addBlock(finishedSearchBlock(search));
        this.#searchChunks.push(...chunks);
        this.#saveContent();
      }
      yield;
    }
    if (sourcesIn === "tool-block") return;
    const streamed = streamedChunks(search);
    this.#streamedChunks.push(...streamed);
    this.#writeRefs("append", "searchChunks", streamed);
    yield;
  }

  /** A failure as a block of the answer (kimi-web.md §2.9, §5.7). */
  writeException({ reason, severity, message, paywall }: StepOf<"exception">): void {
    this.#closeBlock();
    const error = {
      reason,
      ...localizedMessage(reason, message, this.#language),
      ...(severity ? { severity } : {}),
      ...(paywall ? { paywall: paywallJson(paywall) } : {}),
    };
    const block = { id: this.#nextBlockId(), parentId: "", exception: { error }, createTime: blockTime() };
    this.#content.addBlock(block);
    if (reason === "REASON_TOKEN_LENGTH_TOO_LONG") this.#turn.chat.isTooLong = true;
    this.#writeBlock("block.exception", block);
  }

  /** A notification, which the site shows as a banner (kimi-web.md §2.5). */
  writeNotification({ type, message, paywall }: StepOf<"notification">): void {
    this.#writeEvent("set", undefined, { notification: { type, message, paywall } });
  }

  /** The automatic title: `name`, or the first 30 characters of the prompt (kimi-web.md §5.1). */
  writeChatName(name: string | undefined): void {
    const { chat, user } = this.#turn;
    chat.name = name ?? (Array.from(user.text.trim()).slice(0, 30).join("") || chat.name);
    this.#writeEvent("set", "chat.name", { chat: { id: chat.id, name: chat.name } });
  }

  writeRawFrame(frame: StepOf<"raw">["frame"]): void {
    const position: StreamPosition = {
      chatId: this.#turn.chat.id,
      messageId: this.#turn.assistant.id,
      eventOffset: this.#eventOffset + 1,
      block: String(this.#blockCount + 1),
    };
    const json = typeof frame === "function" ? frame(position) : frame;
    if (json.eventOffset === position.eventOffset) this.#eventOffset += 1;
    this.#responseWriter.writeFrame(JSON.stringify(json));
  }

  /** Status, done, trailer: the end of every successful answer and of most failed ones (kimi-web.md §5). */
  writeEnd(status: MessageStatus): void {
    const { assistant } = this.#turn;
    this.#closeBlock();
    const citedChunks = this.#streamedChunks.filter((chunk) => isCited(chunk, this.#content.text));
    if (citedChunks.length > 0) this.#writeRefs("set", "usedSearchChunks", citedChunks);
    assistant.status = `MESSAGE_STATUS_${status}`;
    this.#writeEvent("set", "message.status", { message: { id: assistant.id, status: assistant.status } });
    this.#responseWriter.writeFrame(events.doneEvent(this.#nextOffset()));
    this.#responseWriter.writeFrame("{}", endOfStreamFlag);
  }

  writeError(ending: StepOf<"error-trailer">): void {
    if (!ending.unsent) this.#turn.assistant.status = "MESSAGE_STATUS_ERROR";
    if (ending.afterDone) this.#responseWriter.writeFrame(events.doneEvent(this.#nextOffset()));
    this.#responseWriter.writeFrame(
      JSON.stringify({ error: errorJson(new ApiError(ending), this.#language) }),
      endOfStreamFlag,
    );
  }

  sampleFrame(): Buffer {
    return encodeEnvelope(events.appendDeltaEvent("text", this.#nextOffset(), "1", "", "never seen in full"));
  }

  saveToChat(): void {
    const { assistant } = this.#turn;
    assistant.stop = undefined;
    assistant.text = this.#content.text;
    this.#saveContent();
    if (assistant.status === "MESSAGE_STATUS_GENERATING") assistant.status = "MESSAGE_STATUS_CANCELLED";
  }

  #saveContent(): void {
    const { assistant } = this.#turn;
    assistant.blocks = this.#content.toMessageBlocks(assistant.id);
    if (this.#searchChunks.length > 0) assistant.refs = { searchChunks: this.#searchChunks };
  }

  #nextOffset(): number {
    this.#eventOffset += 1;
    return this.#eventOffset;
  }

  #writeEvent(op: "set" | "append", mask: string | undefined, container: JsonObject): void {
    this.#responseWriter.writeFrame(events.containerEvent(op, mask, this.#nextOffset(), container));
  }

  #writeBlock(mask: string | undefined, block: JsonObject): void {
    this.#writeEvent("set", this.#wireOptions.noMask ? undefined : mask, { block });
  }

  #writeRefs(
    op: "set" | "append",
    name: "searchChunks" | "usedSearchChunks",
    chunks: readonly StreamedChunk[],
  ): void {
    const message = { id: this.#turn.assistant.id, refs: { [name]: chunks } };
    this.#writeEvent(op, `message.refs.${name}`, { message });
  }

  /** "1", "2", … today and "0_0", "0_1", … in early 2026 (kimi-web.md §0.3). */
  #nextBlockId(): string {
    this.#blockCount += 1;
    return this.#wireOptions.oldIds ? `0_${this.#blockCount - 1}` : String(this.#blockCount);
  }

  #openBlock(kind: "think" | "text", delta: string): void {
    this.#closeBlock();
    const parentId = kind === "think" ? this.#openThinking() : "";
    const id = this.#nextBlockId();
    this.#currentBlock = { kind, id, parentId };
    this.#content.openBlock(kind, id, parentId, delta);
    if (kind === "text" && this.#wireOptions.snapshot) {
      this.#writeSnapshot(id, undefined);
      this.#writeSnapshot(id, delta);
    } else this.#writeBlock(`block.${kind}`, events.newBlock(kind, id, parentId, delta));
  }

  /** The form of early 2026: an empty block, then the whole text so far in every event (kimi-web.md §2.5). */
  #writeSnapshot(id: string, content: string | undefined): void {
    const text = content === undefined ? {} : { content };
    this.#writeBlock("block.text.content", { id, parentId: "", text });
  }

  /** Opens the nested blocks multiStage and stage; returns the parent id of the think block (kimi-web.md §5.2). */
  #openThinking(): string {
    const createTime = blockTime();
    const messageId = this.#turn.assistant.id;
    const multiStage = { id: this.#nextBlockId(), parentId: "", messageId, createTime };
    const stage = { id: this.#nextBlockId(), parentId: multiStage.id, messageId, createTime };
    const writeStages = (status: "START" | "END") => {
      this.#writeBlock("block.multiStage", events.stageBlock("multiStage", multiStage, status));
      this.#writeBlock("block.stage", events.stageBlock("stage", stage, status));
    };
    writeStages("START");
    this.#endThinking = () => writeStages("END");
    return stage.id;
  }

  #closeBlock(): void {
    this.#endThinking?.();
    this.#endThinking = undefined;
    this.#currentBlock = undefined;
  }
}
