import type { Exchange } from "./chats.js";
import { endOfStream, envelope } from "./envelope.js";
import { errorJson, localized, paywallOf, Refusal } from "./errors.js";
import * as events from "./events.js";
import type { Manner } from "./faults.js";
import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import type { Teller } from "./player.js";
import { Recording } from "./recording.js";
import type { Wire } from "./response-writer.js";
import { isCited, type SourceChunk, searchChunks, searchFrames } from "./search.js";
import type { MessageStatus, Place, StepOf } from "./steps.js";

export type TellingOptions = {
  manner: Manner;
  /** Attached files, shown before the user's echo. */
  files: readonly JsonObject[];
  language: string;
};

/** One answer as Connect frames: counts offsets and blocks, and knows which block is open. */
export class Telling implements Teller {
  readonly #wire: Wire;
  readonly #exchange: Exchange;
  readonly #manner: Manner;
  readonly #files: readonly JsonObject[];
  readonly #language: string;
  readonly #record = new Recording();
  #offset = 0;
  #blocks = 0;
  #searches = 0;
  #found: SourceChunk[] = [];
  /** The block that the next delta of its kind goes on with. */
  #current: { kind: "think" | "text"; id: string; parentId: string } | undefined;
  /** Shows the end of the thought that is open. */
  #endThought: (() => void) | undefined;

  constructor(wire: Wire, exchange: Exchange, { manner, files, language }: TellingOptions) {
    this.#wire = wire;
    this.#exchange = exchange;
    this.#manner = manner;
    this.#files = files;
    this.#language = language;
  }

  /** Heartbeat, chat, lastRequest, files, both messages, heartbeat: all before the first block (kimi-web.md §5.1). */
  open(): void {
    const { chat, isNew, user, assistant } = this.#exchange;
    const files = this.#files;
    this.#wire.frame(events.firstHeartbeat);
    if (isNew) this.#wire.frame(events.newChat(this.#next(), chat));
    this.#wire.frame(events.lastRequest(this.#next(), chat));
    if (files.length > 0) this.#event("append", "chat.files", { chat: { id: chat.id, files } });
    this.#wire.frame(events.newMessage(this.#next(), user));
    this.#wire.frame(events.newMessage(this.#next(), assistant));
    this.heartbeat();
  }

  heartbeat(): void {
    this.#wire.frame(events.heartbeat(this.#offset));
  }

  /** Goes on with the open block of this kind, or opens one (kimi-web.md §5.1, §5.2). */
  delta(kind: "think" | "text", delta: string): void {
    if (this.#current?.kind !== kind) {
      this.#openBlock(kind, delta);
      return;
    }
    const { id, parentId } = this.#current;
    this.#record.extend(delta);
    if (kind === "text" && this.#manner.snapshot) this.#snapshot(id, this.#record.latest);
    else this.#wire.frame(events.appendDelta(kind, this.#next(), id, parentId, delta));
  }

  /** Replaces the open text block by `set`, as a reader must expect (kimi-web.md §2.5). */
  rewrite(content: string): void {
    if (this.#current?.kind !== "text") {
      this.delta("text", content);
      return;
    }
    const { id, parentId } = this.#current;
    this.#record.replace(content);
    this.#setBlock("block.text", events.openBlock("text", id, parentId, content));
  }

  /** A search as a tool call, one frame at a time (kimi-web.md §5.3). */
  *search({ queries, sources }: StepOf<"search">): Generator<void> {
    this.#closeBlock();
    const call = this.#searches;
    this.#searches += 1;
    const chunks = searchChunks(sources, call);
    const messageId = this.#exchange.assistant.id;
    for (const { op, mask, block } of searchFrames(this.#blockId(), messageId, call, queries, chunks)) {
      if (op === "set") this.#setBlock(mask, block);
      else this.#event("append", mask, { block });
      yield;
    }
    this.#found.push(...chunks);
    this.#refs("append", "searchChunks", chunks);
    yield;
  }

  /** A failure inside the answer (kimi-web.md §2.9, §5.7). */
  except({ reason, severity, message, paywall }: StepOf<"exception">): void {
    this.#closeBlock();
    const error = {
      reason,
      ...localized(reason, message, this.#language),
      ...(severity ? { severity } : {}),
      ...(paywall ? { paywall: paywallOf(paywall) } : {}),
    };
    const block = { id: this.#blockId(), parentId: "", exception: { error }, createTime: blockTime() };
    this.#record.except(block);
    this.#setBlock("block.exception", block);
  }

  /** A banner (kimi-web.md §2.5). */
  notify({ type, message, paywall }: StepOf<"notification">): void {
    this.#event("set", undefined, { notification: { type, message, paywall } });
  }

  /** The automatic title (kimi-web.md §5.1). */
  name(given: string | undefined): void {
    const { chat, user } = this.#exchange;
    chat.name = given ?? (Array.from(user.text.trim()).slice(0, 30).join("") || chat.name);
    this.#event("set", "chat.name", { chat: { id: chat.id, name: chat.name } });
  }

  raw(frame: StepOf<"raw">["frame"]): void {
    const place: Place = {
      chatId: this.#exchange.chat.id,
      messageId: this.#exchange.assistant.id,
      eventOffset: this.#offset + 1,
      block: String(this.#blocks + 1),
    };
    const shown = typeof frame === "function" ? frame(place) : frame;
    if (shown.eventOffset === place.eventOffset) this.#offset += 1;
    this.#wire.frame(JSON.stringify(shown));
  }

  /** Status, done, trailer: how every answer ends that ends well, and most others (kimi-web.md §5). */
  end(status: MessageStatus): void {
    const { assistant } = this.#exchange;
    this.#closeBlock();
    const used = this.#found.filter((chunk) => isCited(chunk, this.#record.text));
    if (used.length > 0) this.#refs("set", "usedSearchChunks", used);
    assistant.status = `MESSAGE_STATUS_${status}`;
    this.#event("set", "message.status", { message: { id: assistant.id, status: assistant.status } });
    this.#wire.frame(events.done(this.#next()));
    this.#wire.frame("{}", endOfStream);
  }

  fail(ending: StepOf<"error-trailer">): void {
    this.#exchange.assistant.status = "MESSAGE_STATUS_ERROR";
    if (ending.afterDone) this.#wire.frame(events.done(this.#next()));
    this.#wire.frame(JSON.stringify({ error: errorJson(new Refusal(ending), this.#language) }), endOfStream);
  }

  spare(): Buffer {
    return envelope(events.appendDelta("text", this.#next(), "1", "", "never seen in full"));
  }

  remember(): void {
    const { assistant } = this.#exchange;
    assistant.stop = undefined;
    assistant.text = this.#record.text;
    assistant.blocks = this.#record.blocks(assistant.id);
    if (this.#found.length > 0) assistant.refs = { searchChunks: this.#found };
    if (assistant.status === "MESSAGE_STATUS_GENERATING") assistant.status = "MESSAGE_STATUS_CANCELLED";
  }

  #next(): number {
    this.#offset += 1;
    return this.#offset;
  }

  #event(op: "set" | "append", mask: string | undefined, container: JsonObject): void {
    this.#wire.frame(events.event(op, mask, this.#next(), container));
  }

  #setBlock(mask: string | undefined, block: JsonObject): void {
    this.#event("set", this.#manner.noMask ? undefined : mask, { block });
  }

  #refs(op: "set" | "append", name: "searchChunks" | "usedSearchChunks", chunks: SourceChunk[]): void {
    const message = { id: this.#exchange.assistant.id, refs: { [name]: chunks } };
    this.#event(op, `message.refs.${name}`, { message });
  }

  /** "1", "2", … today and "0_0", "0_1", … in early 2026 (kimi-web.md §0.3). */
  #blockId(): string {
    this.#blocks += 1;
    return this.#manner.oldIds ? `0_${this.#blocks - 1}` : String(this.#blocks);
  }

  #openBlock(kind: "think" | "text", delta: string): void {
    this.#closeBlock();
    const parentId = kind === "think" ? this.#openThought() : "";
    const id = this.#blockId();
    this.#current = { kind, id, parentId };
    this.#record.open(kind, id, parentId, delta);
    if (kind === "text" && this.#manner.snapshot) {
      this.#snapshot(id, undefined);
      this.#snapshot(id, delta);
    } else this.#setBlock(`block.${kind}`, events.openBlock(kind, id, parentId, delta));
  }

  /** The early-2026 form: an empty opener, then the whole text so far, again and again (kimi-web.md §2.5). */
  #snapshot(id: string, content: string | undefined): void {
    const text = content === undefined ? {} : { content };
    this.#setBlock("block.text.content", { id, parentId: "", text });
  }

  /** Thinking is nested: multiStage, stage, think (kimi-web.md §5.2). */
  #openThought(): string {
    const createTime = blockTime();
    const messageId = this.#exchange.assistant.id;
    const outer = { id: this.#blockId(), parentId: "", messageId, createTime };
    const inner = { id: this.#blockId(), parentId: outer.id, messageId, createTime };
    const show = (status: "START" | "END") => {
      this.#setBlock("block.multiStage", events.stageBlock("multiStage", outer, status));
      this.#setBlock("block.stage", events.stageBlock("stage", inner, status));
    };
    show("START");
    this.#endThought = () => show("END");
    return inner.id;
  }

  #closeBlock(): void {
    this.#endThought?.();
    this.#endThought = undefined;
    this.#current = undefined;
  }
}
