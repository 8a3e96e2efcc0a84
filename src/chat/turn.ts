import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ThreadStore } from "../core/store.js";
import {
  type ChatEvent,
  type ChatMode,
  type ChatRequest,
  type EventSink,
  isVisible,
  type Message,
  type Model,
  type UpstreamRequest,
} from "../core/types.js";
import type { BoundedMap } from "../lib/bounded-map.js";
import type { Attachments } from "./attachments.js";
import type { Cleanup } from "./cleanup.js";
import { isBusy } from "./failover.js";
import type { Route } from "./model-router.js";
import type { Chores } from "./side-requests.js";
import { type Place, Thread } from "./thread.js";
import { transcript } from "./transcript.js";
import { mayCostMore, tokensIn, type UsageMeter } from "./usage.js";

type Opened = Extract<ChatEvent, { type: "opened" }>;

export type TurnParts = {
  store: ThreadStore;
  cleanup: Cleanup;
  chores: Chores;
  attachments: Attachments;
  /** What histories took in tokens, by their names: a long one is not counted anew each turn. */
  counts: BoundedMap<number>;
  /** Hours are counted from a chat's last turn. */
  chats: { mode: ChatMode; keepHours: number };
  /** Tells the log; `error` never holds what was said. */
  warn: (message: string, error: unknown) => void;
};

const unknownConversation: ChatEvent = {
  type: "notice",
  code: "conversation_unknown",
  message:
    "This conversation is not known here any more; the answer rests on the messages of this request alone.",
};

/**
 * One turn with an upstream that keeps conversations itself (design §4): goes on where the history is known, else
 * opens a chat with the whole transcript, and keeps account of the chats that come to be that way.
 */
export class Turn {
  readonly #parts: TurnParts;
  readonly #request: ChatRequest;
  readonly #route: Route;
  readonly #meter: UsageMeter;
  readonly #thread: Thread;
  readonly #isChore: boolean;
  readonly #mode: ChatMode;
  #spoken = false;

  constructor(parts: TurnParts, request: ChatRequest, route: Route, meter: UsageMeter) {
    this.#parts = parts;
    this.#request = request;
    this.#route = route;
    this.#meter = meter;
    this.#thread = new Thread(parts.store, request, route);
    this.#isChore = parts.chores.isChore(request.messages);
    this.#mode = this.#isChore ? "ephemeral" : (request.principal.chats ?? parts.chats.mode);
  }

  /** Tells the answer. A chat that is gone upstream is replaced by a new one, before the first word. */
  async run(tell: EventSink): Promise<void> {
    const place = this.#mode === "native" ? await this.#find() : undefined;
    if (place) {
      try {
        await this.#attempt(place, tell);
        return;
      } catch (error) {
        if (this.#spoken || !isLost(error)) throw error;
        await this.#thread.forget(place.chat);
      }
    }
    if (this.#request.conversation) await tell([unknownConversation]);
    return this.#attempt(undefined, tell);
  }

  /** Where the history may go on; what of it was counted lately is not counted again. */
  async #find(): Promise<Place | undefined> {
    for (const { key, length } of await this.#thread.ends()) {
      const tokens = this.#parts.counts.get(key);
      if (tokens === undefined) continue;
      this.#meter.know(length, tokens);
      break;
    }
    return this.#thread.find();
  }

  async #attempt(place: Place | undefined, tell: EventSink): Promise<void> {
    const { upstream } = this.#route;
    let at: Opened | undefined;
    let refused = false;
    let isOver = false;
    const hear: EventSink = (events) => {
      const opened = this.#hear(events);
      if (opened) {
        at = opened;
        // At once, so that a crash leaves no chat behind; not before the longest answer is over. Nobody waits for
        // it: the store keeps the order.
        void this.#keep(opened.chat, Math.max(limits.answer, this.#keepTime()));
      }
      const outward = opened ? this.#outward(events) : events;
      const last = events.at(-1);
      if (last?.type !== "finish" || !at) return outward.length > 0 ? tell(outward) : undefined;
      return Promise.all([this.#remember(last.reason, at), this.#keepNoLonger(at.chat)]).then(() => {
        isOver = true;
        return tell(outward);
      });
    };
    try {
      const { request, notices } = await this.#upstreamRequest(place);
      if (notices.length > 0) await tell(notices);
      await upstream.chat(request, hear, this.#request.signal);
    } catch (error) {
      refused = isBusy(error);
      throw error;
    } finally {
      if (place && (!at || refused)) await this.#noted(() => this.#thread.putBack(place));
      if (at && !isOver) await this.#keepNoLonger(at.chat);
      if (this.#mode === "ephemeral") this.#parts.cleanup.sweep();
    }
  }

  /** Takes in what was said; where the turn stands, if that is among it. */
  #hear(events: readonly ChatEvent[]): Opened | undefined {
    let opened: Opened | undefined;
    for (const event of events) {
      this.#meter.hear(event);
      this.#spoken ||= isVisible(event);
      if (event.type === "opened") opened = event;
    }
    return opened;
  }

  /** What the upstream is asked, with its files in place; and what is to be said of links that were left alone. */
  async #upstreamRequest(place: Place | undefined) {
    const { upstream, model, search, thinking } = this.#route;
    const { signal } = this.#request;
    const messages = place?.messages ?? this.#request.messages;
    await refuseTooLong(messages, model);
    const message = transcript(messages);
    const { attachments } = this.#parts;
    const destination = { upstream, owner: this.#request.principal.keyName };
    const content = await attachments.place(message.content, destination, signal);
    const linked = this.#isChore
      ? { content: [], notices: [] }
      : await attachments.placeLinked(messages, destination, signal);
    const request: UpstreamRequest = {
      model,
      messages: [{ role: "user", content: [...content, ...linked.content] }],
      search: search !== false && !this.#isChore,
      thinking: this.#isChore ? (model.thinking[0] ?? "off") : thinking,
      stream: this.#request.stream,
      ...(place ? { continueFrom: { chat: place.chat, parent: place.parent } } : {}),
    };
    return { request, notices: linked.notices };
  }

  /** Only an answer that ended well is a place to go on from. */
  async #remember(reason: string, { chat, message }: Opened): Promise<void> {
    if (this.#mode !== "native" || (reason !== "stop" && reason !== "length")) return;
    const { text, reasoning } = this.#meter;
    await this.#noted(async () => {
      const names = await this.#thread.remember(chat, message, text, reasoning);
      if (!this.#request.includeUsage) return;
      const tokens = await this.#meter.history();
      for (const name of names) this.#parts.counts.set(name, tokens);
    });
  }

  /** The answer is over: a chat that was kept for as long as it could have taken may go earlier. */
  async #keepNoLonger(chat: string): Promise<void> {
    if (this.#keepTime() < limits.answer) await this.#keep(chat, this.#keepTime());
  }

  /** Notes a chat of ours, to be deleted so many milliseconds from now. */
  async #keep(chat: string, milliseconds: number): Promise<void> {
    const { scope } = this.#thread;
    const dueAt = Date.now() + milliseconds;
    await this.#noted(() =>
      this.#parts.store.saveChat({ upstream: this.#route.upstream.name, chat, scope, dueAt }),
    );
  }

  /** A store that cannot be written costs the place in the conversation, not the answer. */
  async #noted(save: () => Promise<void>): Promise<void> {
    try {
      await save();
    } catch (error) {
      this.#parts.warn("a conversation could not be noted in the store", error);
    }
  }

  #keepTime(): number {
    return this.#mode === "ephemeral" ? 0 : this.#parts.chats.keepHours * 3_600_000;
  }

  /** The upstream's own names stay inside; a client gets the conversation's, where there is one to go on with. */
  #outward(events: readonly ChatEvent[]): ChatEvent[] {
    if (this.#mode !== "native") return events.filter(({ type }) => type !== "opened");
    return events.map((event) =>
      event.type === "opened" ? { type: "conversation", id: event.chat } : event,
    );
  }
}

/** Throws `context_length_exceeded` for what the model cannot take. */
async function refuseTooLong(messages: readonly Message[], { id, contextLength }: Model): Promise<void> {
  if (contextLength === undefined || !mayCostMore(messages, contextLength)) return;
  const tokens = await tokensIn(messages);
  if (tokens <= contextLength) return;
  throw new GatewayError(
    "context_length_exceeded",
    `This conversation has about ${tokens} tokens; ${id} takes ${contextLength}. Shorten it or start a new one.`,
    { param: "messages" },
  );
}

/** The chat was deleted, or is too long to go on. */
function isLost(error: unknown): boolean {
  return (
    error instanceof GatewayError && (error.code === "not_found" || error.code === "context_length_exceeded")
  );
}
