import { setTimeout as sleep } from "node:timers/promises";
import type { Chats, Exchange } from "./chats.js";
import { endOfStream, envelope } from "./envelope.js";
import { type ErrorShape, errorJson, localized, paywallOf, Refusal } from "./errors.js";
import * as events from "./events.js";
import type { Manner } from "./faults.js";
import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import { Recording } from "./recording.js";
import { type SourceChunk, searchChunks, searchFrames } from "./search.js";
import { type Content, deltas, type MessageStatus, type Step } from "./steps.js";
import type { Wire } from "./wire.js";

/** All that one answer plays with. */
export type Scene = {
  wire: Wire;
  exchange: Exchange;
  chats: Chats;
  /** Attached files, shown before the user's echo. */
  files: readonly JsonObject[];
  /** Milliseconds between deltas. */
  pace: number;
  manner: Manner;
  /** Aborted with "cancelled" by CancelChat, with anything else when nobody listens any more. */
  stop: AbortSignal;
  language: string;
};

/** Plays an answer with the event sequences of kimi-web.md §5, until its ending or until it is stopped. */
export async function play(scene: Scene, steps: readonly Step[]): Promise<void> {
  const player = new Player(scene);
  try {
    await player.open();
    for (const step of steps) {
      if ((await player.take(step)) === "ended") return;
    }
    await player.end("COMPLETED");
  } catch (error) {
    if (!scene.stop.aborted) throw error;
    if (scene.stop.reason === "cancelled") await player.end("CANCELLED");
  } finally {
    player.settle();
  }
}

class Player {
  readonly #scene: Scene;
  readonly #record = new Recording();
  #pace: number;
  #offset = 0;
  #blocks = 0;
  #searches = 0;
  #found: SourceChunk[] = [];
  /** The block that the next delta of its kind goes on with. */
  #current: { kind: "think" | "text"; id: string; parentId: string } | undefined;
  /** The frames that close the thought once it is over. */
  #thought: ((status: "END") => void) | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#pace = scene.pace;
  }

  /** Heartbeat, chat, lastRequest, files, both messages, heartbeat: all before the first block (kimi-web.md §5.1). */
  async open(): Promise<void> {
    const { wire, exchange, files } = this.#scene;
    const { chat, isNew, user, assistant } = exchange;
    wire.frame(events.firstHeartbeat);
    if (isNew) wire.frame(events.newChat(this.#next(), chat));
    wire.frame(events.lastRequest(this.#next(), chat));
    if (files.length > 0) {
      wire.frame(events.event("append", "chat.files", this.#next(), { chat: { id: chat.id, files } }));
    }
    wire.frame(events.newMessage(this.#next(), user));
    wire.frame(events.newMessage(this.#next(), assistant));
    wire.frame(events.heartbeat(this.#offset));
    await wire.flush();
  }

  async take(step: Step): Promise<"ended" | undefined> {
    const { wire, stop } = this.#scene;
    stop.throwIfAborted();
    switch (step.do) {
      case "think":
      case "text":
        return this.#say(step.do, step.content);
      case "rewrite":
        return this.#rewrite(step.content);
      case "search":
        return this.#search(step);
      case "exception":
        return this.#except(step);
      case "notification": {
        const { type, message, paywall } = step;
        wire.frame(
          events.event("set", undefined, this.#next(), { notification: { type, message, paywall } }),
        );
        return this.#sent();
      }
      case "heartbeat":
        wire.frame(events.heartbeat(this.#offset));
        return this.#sent();
      case "name":
        return this.#name(step.name);
      case "wait":
        await wire.flush();
        await sleep(step.milliseconds, undefined, { signal: stop });
        return undefined;
      case "pace":
        this.#pace = step.milliseconds;
        return undefined;
      case "raw":
        return this.#raw(step.frame);
      case "bytes":
        wire.bytes(step.bytes);
        return this.#sent();
      case "end":
        await this.end(step.status ?? "COMPLETED");
        return "ended";
      case "truncated":
        await this.end("TRUNCATED");
        return "ended";
      case "error-trailer":
        await this.#fail(step, step.afterDone ?? false);
        return "ended";
      case "cut-in-frame":
        this.#halfFrame();
        await wire.cut();
        return "ended";
      case "cut":
        await wire.cut();
        return "ended";
      case "no-trailer":
        await wire.end();
        return "ended";
      case "stall":
        await this.#stall();
        return "ended";
      case "stall-heartbeat":
        return this.#heartbeats(step.everyMilliseconds ?? 1_000);
    }
  }

  /** Status, done, trailer: the way every answer ends that ends well, and most others (kimi-web.md §5). */
  async end(status: MessageStatus): Promise<void> {
    const { wire, exchange } = this.#scene;
    this.#closeThought();
    const used = this.#found.filter(({ refIndex }) => this.#record.text.includes(refIndex));
    if (used.length > 0) this.#refs("set", "usedSearchChunks", used);
    exchange.assistant.status = `MESSAGE_STATUS_${status}`;
    wire.frame(events.messageStatus(this.#next(), exchange.assistant));
    wire.frame(events.done(this.#next()));
    wire.frame("{}", endOfStream);
    await wire.end();
  }

  /** Leaves in the chat what was said, whatever became of the stream. */
  settle(): void {
    const { exchange, chats } = this.#scene;
    const { chat, assistant } = exchange;
    assistant.stop = undefined;
    assistant.text = this.#record.text;
    assistant.blocks = this.#record.blocks(assistant.id);
    if (this.#found.length > 0) assistant.refs = { searchChunks: this.#found };
    if (assistant.status === "MESSAGE_STATUS_GENERATING") assistant.status = "MESSAGE_STATUS_CANCELLED";
    chats.grow(chat, assistant.text.length);
  }

  #next(): number {
    this.#offset += 1;
    return this.#offset;
  }

  #blockId(): string {
    this.#blocks += 1;
    return this.#scene.manner.oldIds ? `0_${this.#blocks - 1}` : String(this.#blocks);
  }

  #setBlock(mask: string | undefined, block: JsonObject): void {
    const shown = this.#scene.manner.noMask ? undefined : mask;
    this.#scene.wire.frame(events.event("set", shown, this.#next(), { block }));
  }

  /** Lets the frames go and keeps the pace; an unpaced answer gathers them into larger writes. */
  async #sent(): Promise<undefined> {
    const { wire, stop } = this.#scene;
    if (this.#pace > 0) {
      await wire.flush();
      await sleep(this.#pace, undefined, { signal: stop });
    } else if (wire.full) await wire.flush();
    stop.throwIfAborted();
    return undefined;
  }

  async #say(kind: "think" | "text", content: Content): Promise<undefined> {
    for (const delta of deltas(content)) {
      this.#delta(kind, delta);
      await this.#sent();
    }
    return undefined;
  }

  #delta(kind: "think" | "text", delta: string): void {
    if (this.#current?.kind !== kind) {
      this.#openBlock(kind, delta);
      return;
    }
    const { id, parentId } = this.#current;
    this.#record.extend(delta);
    if (kind === "text" && this.#scene.manner.snapshot) this.#snapshot(id, this.#record.latest);
    else this.#scene.wire.frame(events.appendDelta(kind, this.#next(), id, parentId, delta));
  }

  #openBlock(kind: "think" | "text", delta: string): void {
    this.#closeThought();
    const parentId = kind === "think" ? this.#openThought() : "";
    const id = this.#blockId();
    this.#current = { kind, id, parentId };
    this.#record.open(kind, id, parentId, delta);
    if (kind === "text" && this.#scene.manner.snapshot) {
      this.#snapshot(id, undefined);
      this.#snapshot(id, delta);
    } else this.#setBlock(`block.${kind}`, events.openBlock(kind, id, parentId, delta));
  }

  /** The early-2026 form: an empty opener, then the whole text so far, again and again (kimi-web.md §2.5). */
  #snapshot(id: string, content: string | undefined): void {
    this.#setBlock("block.text.content", {
      id,
      parentId: "",
      text: content === undefined ? {} : { content },
    });
  }

  /** Thinking is nested: multiStage, stage, think (kimi-web.md §2.5). */
  #openThought(): string {
    const createTime = blockTime();
    const messageId = this.#scene.exchange.assistant.id;
    const outer = { id: this.#blockId(), parentId: "", messageId, createTime };
    const inner = { id: this.#blockId(), parentId: outer.id, messageId, createTime };
    const show = (status: "START" | "END") => {
      this.#setBlock("block.multiStage", events.stageBlock("multiStage", outer, status));
      this.#setBlock("block.stage", events.stageBlock("stage", inner, status));
    };
    show("START");
    this.#thought = show;
    return inner.id;
  }

  #closeThought(): void {
    this.#thought?.("END");
    this.#thought = undefined;
    this.#current = undefined;
  }

  async #rewrite(content: string): Promise<undefined> {
    if (this.#current?.kind !== "text") return this.#say("text", [content]);
    const { id, parentId } = this.#current;
    this.#record.replace(content);
    this.#setBlock("block.text", events.openBlock("text", id, parentId, content));
    return this.#sent();
  }

  async #search({ queries, sources }: Extract<Step, { do: "search" }>): Promise<undefined> {
    this.#closeThought();
    const call = this.#searches;
    this.#searches += 1;
    const chunks = searchChunks(sources, call);
    const messageId = this.#scene.exchange.assistant.id;
    for (const { op, mask, block } of searchFrames(this.#blockId(), messageId, call, queries, chunks)) {
      if (op === "set") this.#setBlock(mask, block);
      else this.#scene.wire.frame(events.event("append", mask, this.#next(), { block }));
      await this.#sent();
    }
    this.#found.push(...chunks);
    this.#refs("append", "searchChunks", chunks);
    return this.#sent();
  }

  #refs(
    op: "set" | "append",
    name: "searchChunks" | "usedSearchChunks",
    chunks: readonly SourceChunk[],
  ): void {
    const message = { id: this.#scene.exchange.assistant.id, refs: { [name]: chunks } };
    this.#scene.wire.frame(events.event(op, `message.refs.${name}`, this.#next(), { message }));
  }

  #except({ reason, severity, message, paywall }: Extract<Step, { do: "exception" }>): Promise<undefined> {
    this.#closeThought();
    const error = {
      reason,
      ...localized(reason, message, this.#scene.language),
      ...(severity ? { severity } : {}),
      ...(paywall ? { paywall: paywallOf(paywall) } : {}),
    };
    const block = { id: this.#blockId(), parentId: "", exception: { error }, createTime: blockTime() };
    this.#record.except(block);
    this.#setBlock("block.exception", block);
    return this.#sent();
  }

  #name(given: string | undefined): Promise<undefined> {
    const { wire, exchange } = this.#scene;
    const { chat, user } = exchange;
    chat.name = given ?? (Array.from(user.text.trim()).slice(0, 30).join("") || chat.name);
    wire.frame(events.event("set", "chat.name", this.#next(), { chat: { id: chat.id, name: chat.name } }));
    return this.#sent();
  }

  #raw(frame: Extract<Step, { do: "raw" }>["frame"]): Promise<undefined> {
    const { chat, assistant } = this.#scene.exchange;
    const place = {
      chatId: chat.id,
      messageId: assistant.id,
      eventOffset: this.#offset + 1,
      block: String(this.#blocks + 1),
    };
    const shown = typeof frame === "function" ? frame(place) : frame;
    if (shown.eventOffset === place.eventOffset) this.#offset += 1;
    this.#scene.wire.frame(JSON.stringify(shown));
    return this.#sent();
  }

  async #fail(shape: ErrorShape, afterDone: boolean): Promise<void> {
    const { wire, exchange, language } = this.#scene;
    exchange.assistant.status = "MESSAGE_STATUS_ERROR";
    if (afterDone) wire.frame(events.done(this.#next()));
    wire.frame(JSON.stringify({ error: errorJson(new Refusal(shape), language) }), endOfStream);
    await wire.end();
  }

  /** The head of a frame and part of its payload. */
  #halfFrame(): void {
    const whole = envelope(events.appendDelta("text", this.#next(), "1", "", "never seen in full"));
    this.#scene.wire.bytes(whole.subarray(0, Math.floor(whole.length / 2)));
  }

  /** Returns only by being stopped. */
  async #stall(): Promise<void> {
    const { wire, stop } = this.#scene;
    await wire.flush();
    stop.throwIfAborted();
    await new Promise((_, reject) =>
      stop.addEventListener("abort", () => reject(stop.reason), { once: true }),
    );
  }

  async #heartbeats(everyMilliseconds: number): Promise<never> {
    const { wire, stop } = this.#scene;
    for (;;) {
      await wire.flush();
      await sleep(Math.max(1, everyMilliseconds), undefined, { signal: stop });
      wire.frame(events.heartbeat(this.#offset));
    }
  }
}
