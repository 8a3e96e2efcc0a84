import type { AccountQueue } from "../accounts/account-queue.js";
import { limits } from "../core/limits.js";
import {
  type ChatEvent,
  type ChatMode,
  type ChatRequest,
  type EventSink,
  isVisible,
  type Message,
  type UpstreamRequest,
} from "../core/types.js";
import type { RequestLinks } from "../files/request-links.js";
import type { BoundedMap } from "../lib/bounded-map.js";
import { Attachments, type AttachmentsDependencies, uploadTarget } from "./attachments.js";
import { BusyChatRetries } from "./busy-chat-retries.js";
import type { ChatCleanup } from "./chat-cleanup.js";
import { rejectTooLong } from "./context-length.js";
import { isAccountBusy } from "./failover.js";
import type { Route } from "./model-router.js";
import type { SideRequestMatcher } from "./side-requests.js";
import { type ResumePoint, Thread, type ThreadDependencies, UnpreparedError } from "./thread.js";
import {
  conversationNotFound,
  isChatBusy,
  isChatLost,
  isUntrustworthy,
  unknownConversation,
} from "./turn-failures.js";
import type { UsageMeter } from "./usage-meter.js";

type ChatOpened = Extract<ChatEvent, { type: "chat-opened" }>;

export type TurnDependencies = ThreadDependencies & {
  cleanup: ChatCleanup;
  sideRequests: SideRequestMatcher;
  attachments: AttachmentsDependencies;
  /** Tokens of histories, by path hash, so that a long one is not counted again each turn. */
  historyTokens: BoundedMap<number>;
  /** `keepHours` counts from a chat's last turn. */
  chats: { mode: ChatMode; keepHours: number };
  /** Writes a warning to the log; `error` contains no content of the conversation. */
  warn: (message: string, error: unknown) => void;
};

/** What a turn uses of its request and of its account. */
export type TurnContext = { meter: UsageMeter; links: RequestLinks; queue: AccountQueue };

/**
 * One turn with an upstream that stores conversations (docs/decisions/0003-chats-as-trees.md): continues its chat if
 * the history is known, else creates one with the whole transcript. Stores every chat it creates, for deletion.
 */
export class Turn {
  readonly #dependencies: TurnDependencies;
  readonly #request: ChatRequest;
  readonly #route: Route;
  readonly #meter: UsageMeter;
  readonly #thread: Thread;
  readonly #isSideRequest: boolean;
  readonly #mode: ChatMode;
  readonly #attachments: Attachments;
  /** The messages whose attachments were found missing when they were to be sent. */
  #unprepared: readonly Message[] | undefined;
  #isUnknownReported = false;
  readonly #busyChat = new BusyChatRetries();
  #hasOutput = false;

  constructor(
    dependencies: TurnDependencies,
    request: ChatRequest,
    route: Route,
    { meter, links, queue }: TurnContext,
  ) {
    this.#dependencies = dependencies;
    this.#request = request;
    this.#route = route;
    this.#meter = meter;
    this.#thread = new Thread(dependencies, request, route);
    this.#isSideRequest = dependencies.sideRequests.isSideRequest(request, route);
    this.#mode = this.#isSideRequest ? "ephemeral" : (request.principal.chats ?? dependencies.chats.mode);
    const { uploads, linkInspector } = dependencies.attachments;
    const owner = request.principal.keyName;
    this.#attachments = new Attachments(
      { uploads, linkInspector: this.#isSideRequest ? undefined : linkInspector },
      uploadTarget(route.upstream, { owner, links, queue }),
    );
  }

  /** Whether the request continues a stored conversation here. */
  isKnown(): Promise<boolean> {
    return this.#thread.isKnown();
  }

  /** Resolves when the conversation that the request names is free, here (see Thread) and after a refusal upstream. */
  async waitUntilFree(signal: AbortSignal): Promise<void> {
    await this.#busyChat.wait(signal);
    if (this.#mode === "native") await this.#thread.waitUntilFree(signal);
  }

  /** Uploads the attachments of the messages that will be sent, as far as that is known before the chat is claimed. */
  async prepare(signal: AbortSignal): Promise<void> {
    if (!this.#attachments.areIn(this.#request.messages)) return;
    const messages = this.#unprepared ?? (await this.#messagesToSend());
    await rejectTooLong(messages, this.#route.model);
    await this.#attachments.prepare(messages, signal);
  }

  async #messagesToSend(): Promise<readonly Message[]> {
    return this.#mode === "native" ? this.#thread.messagesToSend() : this.#request.messages;
  }

  /**
   * Emits the answer. A chat that is gone upstream, or stays busy, is replaced by a new one, if nothing visible was emitted
   * yet. Throws `conversation_not_found` if the request rests on a conversation alone that cannot be continued,
   * ConversationAnsweringError if the chat is busy upstream and the message should be sent again, and UnpreparedError if
   * `prepare` must be called again first.
   */
  async run(sink: EventSink): Promise<void> {
    const canContinue = this.#mode === "native" && !this.#busyChat.isExhausted;
    const resumePoint = canContinue ? await this.#claimResumePoint() : undefined;
    if (resumePoint) {
      try {
        await this.#attempt(resumePoint, sink);
        return;
      } catch (error) {
        if (isUntrustworthy(error)) await this.#trySave(() => this.#thread.detach(resumePoint.chat));
        if (this.#hasOutput) throw error;
        if (isChatBusy(error)) {
          this.#busyChat.recordRefusal();
          if (!this.#canBeginAnew()) throw error;
        } else if (isChatLost(error)) await this.#thread.detach(resumePoint.chat);
        else throw error;
      }
    }
    if (this.#request.conversation !== undefined) await this.#requireHistory(sink);
    return this.#attempt(undefined, sink);
  }

  /** Whether the request rests on its messages, not on a conversation alone. */
  #canBeginAnew(): boolean {
    const { conversation, messages } = this.#request;
    return conversation === undefined || messages.some(({ role }) => role === "assistant");
  }

  /** Without its conversation a request needs a history to rest on; a notice says that the answer rests on that alone. */
  async #requireHistory(sink: EventSink): Promise<void> {
    if (!this.#canBeginAnew()) throw conversationNotFound();
    if (this.#isUnknownReported) return;
    if (this.#mode !== "native" || !(await this.#thread.isConversationAlive())) {
      this.#isUnknownReported = true;
      await sink([unknownConversation]);
    }
  }

  /** Also gives the meter the known token count of the longest counted prefix. */
  async #claimResumePoint(): Promise<ResumePoint | undefined> {
    for (const { path, length } of (await this.#thread.history()).ends) {
      const tokens = this.#dependencies.historyTokens.get(path);
      if (tokens === undefined) continue;
      this.#meter.setKnownHistory(length, tokens);
      break;
    }
    return this.#thread.claim();
  }

  async #attempt(resumePoint: ResumePoint | undefined, sink: EventSink): Promise<void> {
    const { upstream } = this.#route;
    let opened: ChatOpened | undefined;
    let isRefused = false;
    let isSaved = false;
    let hasFinished = false;
    const stopKeeping = resumePoint ? this.#thread.keepClaim(resumePoint) : undefined;
    const turnSink: EventSink = (events) => {
      const opening = this.#record(events);
      if (opening) {
        opened = opening;
        // Stored at once, so that a crash leaves no chat behind; not due before the answer must have ended.
        // Not awaited: the store preserves the order of writes.
        void this.#scheduleDeletion(opening.chat, Math.max(limits.answer, this.#retentionMs()));
      }
      const clientEvents = opening ? this.#toClientEvents(events) : events;
      const last = events.at(-1);
      if (last?.type !== "finish" || !opened) return clientEvents.length > 0 ? sink(clientEvents) : undefined;
      return Promise.all([
        this.#saveTurn(last.reason, opened, resumePoint).then((saved) => {
          isSaved = saved;
        }),
        this.#advanceDeletion(opened.chat),
      ]).then(() => {
        hasFinished = true;
        return sink(clientEvents);
      });
    };
    try {
      const { request, notices } = await this.#createUpstreamRequest(resumePoint);
      if (notices.length > 0) await sink(notices);
      await upstream.chat(request, turnSink, this.#request.signal);
    } catch (error) {
      isRefused = isAccountBusy(error) || isChatBusy(error);
      throw error;
    } finally {
      stopKeeping?.();
      if (resumePoint && !isSaved)
        await this.#trySave(() => this.#thread.release(resumePoint, !opened || isRefused));
      if (opened && !hasFinished) await this.#advanceDeletion(opened.chat);
      if (this.#mode === "ephemeral") this.#dependencies.cleanup.sweep();
    }
  }

  /** Records a batch and returns its `chat-opened` event, if there is one. */
  #record(events: readonly ChatEvent[]): ChatOpened | undefined {
    let opened: ChatOpened | undefined;
    for (const event of events) {
      this.#meter.record(event);
      this.#hasOutput ||= isVisible(event);
      if (event.type === "chat-opened") opened = event;
    }
    return opened;
  }

  /**
   * The request with its files uploaded, and notices of links that were not attached. Throws `context_length_exceeded`
   * and UnpreparedError.
   */
  async #createUpstreamRequest(resumePoint: ResumePoint | undefined) {
    const { model, search, thinking } = this.#route;
    const messages = resumePoint?.messages ?? this.#request.messages;
    await rejectTooLong(messages, model);
    const message = this.#attachments.merge(messages);
    if (!message) {
      this.#unprepared = messages;
      throw new UnpreparedError();
    }
    const request: UpstreamRequest = {
      model,
      messages: [{ role: "user", content: message.content }],
      search: search !== false && !this.#isSideRequest,
      thinking: this.#isSideRequest ? (model.thinking[0] ?? "off") : thinking,
      stream: this.#request.stream,
      ...(resumePoint ? { continueFrom: { chat: resumePoint.chat, parent: resumePoint.parent } } : {}),
    };
    return { request, notices: message.notices };
  }

  /**
   * Saves the turn if it can be continued: only if the answer ended with `stop` or `length` does the upstream hold what the
   * client was given. True if the store has it.
   */
  async #saveTurn(
    reason: string,
    opened: ChatOpened,
    resumePoint: ResumePoint | undefined,
  ): Promise<boolean> {
    if (this.#mode !== "native" || (reason !== "stop" && reason !== "length")) return false;
    return this.#trySave(async () => {
      const paths = await this.#thread.save(opened, this.#meter.answer, resumePoint);
      if (!this.#request.includeUsage) return;
      const tokens = await this.#meter.historyTokens();
      for (const path of paths) this.#dependencies.historyTokens.set(path, tokens);
    });
  }

  /**
   * Replaces the provisional due time (`limits.answer` from the start) by an earlier one, if the chat is kept for less.
   */
  async #advanceDeletion(chat: string): Promise<void> {
    if (this.#retentionMs() < limits.answer) await this.#scheduleDeletion(chat, this.#retentionMs());
  }

  /** Stores a chat as due for deletion after a delay in milliseconds. */
  async #scheduleDeletion(chat: string, milliseconds: number): Promise<void> {
    const { scope } = this.#thread;
    const dueAt = Date.now() + milliseconds;
    await this.#trySave(() =>
      this.#dependencies.store.saveChat({ upstream: this.#route.upstream.name, chat, scope, dueAt }),
    );
  }

  /** A failure of the store is logged and does not fail the answer; the result is then false. */
  async #trySave(save: () => Promise<void>): Promise<boolean> {
    try {
      await save();
      return true;
    } catch (error) {
      this.#dependencies.warn("a conversation could not be noted in the store", error);
      return false;
    }
  }

  #retentionMs(): number {
    return this.#mode === "ephemeral" ? 0 : this.#dependencies.chats.keepHours * 3_600_000;
  }

  /** Replaces `chat-opened` by `conversation`, or drops it where the chat cannot be continued. */
  #toClientEvents(events: readonly ChatEvent[]): ChatEvent[] {
    if (this.#mode !== "native") return events.filter(({ type }) => type !== "chat-opened");
    return events.map((event) =>
      event.type === "chat-opened" ? { type: "conversation", id: this.#thread.conversationId } : event,
    );
  }
}
