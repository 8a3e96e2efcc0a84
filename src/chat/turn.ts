import type { AccountQueue } from "../accounts/account-queue.js";
import type { GatewayError } from "../core/errors.js";
import type { RequestRecord } from "../core/request-record.js";
import type { ChatMode, ChatRequest, EventSink, Message, UpstreamRequest } from "../core/types.js";
import type { RequestLinks } from "../files/request-links.js";
import { Attachments, type AttachmentsDependencies, uploadTarget } from "./attachments.js";
import { BusyChatRetries } from "./busy-chat-retries.js";
import type { ChatCleanup } from "./chat-cleanup.js";
import { rejectTooLong } from "./context-length.js";
import { isAccountBusy } from "./failover.js";
import { type LongPromptOptions, LongPrompts } from "./long-prompts.js";
import type { Route } from "./model-router.js";
import { isAtEnd, type ResumePoint, Thread, type ThreadDependencies, UnpreparedError } from "./thread.js";
import { RejectedAnswerError } from "./tools/rejected-answer.js";
import type { AnswerRecorder } from "./transforms/answer-recorder.js";
import { FileLongPrompt } from "./transforms/file-long-prompt.js";
import { MergeMessages } from "./transforms/merge-messages.js";
import { OutputObserver } from "./transforms/output-observer.js";
import { sendThrough, type Transform } from "./transforms/transform.js";
import { TurnRecorder } from "./transforms/turn-recorder.js";
import type { UsageReporter } from "./transforms/usage-reporter.js";
import { trySave } from "./try-save.js";
import {
  conversationNotFound,
  conversationUnreadable,
  isChatBusy,
  isChatLost,
  isConversationNotFound,
  isPlaceRefused,
  isUntrustworthy,
  unknownConversation,
} from "./turn-failures.js";

/** The settings of turns. */
export type TurnSettings = Pick<ThreadDependencies, "allowWindows"> &
  Pick<AttachmentsDependencies, "linkInspector"> & {
    /** `keepHours` counts from a chat's last turn. */
    chats: { mode: ChatMode; keepHours: number };
  };

export type TurnDependencies = TurnSettings &
  ThreadDependencies & {
    cleanup: ChatCleanup;
    uploads: AttachmentsDependencies["uploads"];
    /** Writes a warning to the log; `error` contains no content of the conversation. */
    warn: (message: string, error: unknown) => void;
  };

/** What a turn uses of its request and of its account. */
export type TurnContext = {
  links: RequestLinks;
  record: RequestRecord;
  queue: AccountQueue;
  isSideRequest: boolean;
  recorder: AnswerRecorder;
  usageReporter: UsageReporter;
  /** Between the recorder and the upstream. */
  transforms: readonly Transform[];
  /** Undefined if no prompt is too long for the upstream. */
  longPrompts: LongPromptOptions | undefined;
};

/**
 * One turn with an upstream that stores conversations (docs/decisions/0003-chats-as-trees.md): continues its chat if
 * the history is known, else creates one with the whole transcript. Stores every chat it creates, for deletion.
 */
export class Turn {
  readonly #dependencies: TurnDependencies;
  readonly #request: ChatRequest;
  readonly #route: Route;
  readonly #context: TurnContext;
  readonly #thread: Thread;
  readonly #mode: ChatMode;
  readonly #attachments: Attachments;
  readonly #longPrompts: LongPrompts;
  /** The messages whose attachments were found missing when they were to be sent. */
  #unprepared: readonly Message[] | undefined;
  #isUnknownReported = false;
  readonly #busyChat: BusyChatRetries;
  readonly #output = new OutputObserver();
  #hasSent = false;
  /** Whether an answer of this turn was rejected, and whether the next one must be in another chat. */
  #isCorrecting = false;
  #needsNewChat = false;
  /** The upstream refused to continue after an older answer; why is known once it takes the same message in a new chat. */
  #isOldParentRefused = false;

  constructor(dependencies: TurnDependencies, request: ChatRequest, route: Route, context: TurnContext) {
    this.#dependencies = dependencies;
    this.#request = request;
    this.#route = route;
    this.#context = context;
    this.#thread = new Thread(dependencies, request, route);
    const { links, queue, isSideRequest } = context;
    this.#mode = isSideRequest ? "ephemeral" : (request.principal.chats ?? dependencies.chats.mode);
    const { uploads, linkInspector } = dependencies;
    const owner = request.principal.keyName;
    // Agents put links into prompts that nobody asks about, and have functions for those that they read (clients.md §4.1).
    const leavesLinks = isSideRequest || (request.tools ?? []).length > 0;
    this.#attachments = new Attachments(
      { uploads, linkInspector: leavesLinks ? undefined : linkInspector },
      uploadTarget(route.upstream, { owner, links, queue }),
    );
    this.#longPrompts = new LongPrompts(this.#attachments, context.longPrompts);
    this.#busyChat = new BusyChatRetries(route.upstream.capabilities);
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

  /**
   * Uploads the attachments of the messages that will be sent, and what of these is too long for the prompt, as far as that is
   * known before the chat is claimed.
   */
  async prepare(signal: AbortSignal): Promise<void> {
    const { messages: all } = this.#request;
    if (!this.#attachments.areIn(all) && !this.#longPrompts.areIn(all)) return;
    const messages = this.#unprepared ?? (await this.#messagesToSend());
    await rejectTooLong(messages, this.#route.model);
    const sent = await this.#longPrompts.prepare(messages, signal);
    await this.#attachments.prepare(sent, signal, messages);
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
    let failure: GatewayError | undefined;
    for (;;) {
      try {
        return await this.#send(sink);
      } catch (error) {
        if (!(error instanceof RejectedAnswerError))
          throw isConversationNotFound(error) ? (failure ?? error) : error;
        failure = error.failure;
        this.#isCorrecting = true;
        this.#needsNewChat ||= error.needsNewChat && this.#canBeginAnew();
      }
    }
  }

  async #send(sink: EventSink): Promise<void> {
    const canContinue = this.#mode === "native" && !this.#busyChat.isExhausted && !this.#needsNewChat;
    const resumePoint = canContinue ? await this.#thread.claim() : undefined;
    if (resumePoint) {
      try {
        await this.#attempt(resumePoint, sink);
        return;
      } catch (error) {
        const isOldParent = !isAtEnd(resumePoint);
        if (isUntrustworthy(error)) {
          if (isOldParent) this.#route.upstream.capabilities?.contradict("old-parent");
          await trySave(() => this.#thread.detach(resumePoint.chat), this.#dependencies.warn);
        }
        // What was emitted of a rejected answer does not hinder its correction.
        if (error instanceof RejectedAnswerError || (this.#output.hasOutput && !this.#isCorrecting))
          throw error;
        if (isChatBusy(error)) {
          this.#busyChat.recordRefusal();
          if (!this.#canBeginAnew()) throw error;
        } else if (isChatLost(error))
          await trySave(() => this.#thread.detach(resumePoint.chat), this.#dependencies.warn);
        else if (isOldParent && this.#canBeginAnew() && isPlaceRefused(error))
          this.#isOldParentRefused ||= !isUntrustworthy(error);
        else throw error;
      }
    }
    if (this.#request.conversation !== undefined) await this.#requireHistory(sink);
    await this.#attempt(undefined, sink);
    if (this.#isOldParentRefused) this.#route.upstream.capabilities?.contradict("old-parent");
  }

  /** Whether the request rests on its messages, not on a conversation alone. */
  #canBeginAnew(): boolean {
    const { conversation, messages } = this.#request;
    return conversation === undefined || messages.some(({ role }) => role === "assistant");
  }

  /** Without its conversation a request needs a history to rest on; a notice says that the answer rests on that alone. */
  async #requireHistory(sink: EventSink): Promise<void> {
    const { isStoreUnreadable } = this.#thread;
    if (!this.#canBeginAnew()) throw isStoreUnreadable ? conversationUnreadable() : conversationNotFound();
    if (this.#isUnknownReported) return;
    if (this.#mode !== "native" || isStoreUnreadable || !(await this.#thread.isConversationAlive())) {
      this.#isUnknownReported = true;
      await sink([unknownConversation]);
    }
  }

  async #attempt(resumePoint: ResumePoint | undefined, sink: EventSink): Promise<void> {
    const { recorder, usageReporter, transforms, record } = this.#context;
    record.chat = resumePoint ? "continued" : "new";
    const turnRecorder = new TurnRecorder(this.#dependencies, {
      thread: this.#thread,
      upstream: this.#route.upstream.name,
      mode: this.#mode,
      resumePoint,
      recorder,
    });
    const stopKeeping = resumePoint ? this.#thread.keepClaim(resumePoint) : undefined;
    const messages = resumePoint?.messages ?? this.#request.messages;
    let isRefused = false;
    try {
      await rejectTooLong(messages, this.#route.model);
      const filed = this.#longPrompts.find(messages);
      // The slot is that of the first message.
      if (this.#hasSent) await this.#context.queue.waitForStart(this.#request.signal);
      this.#hasSent = true;
      await sendThrough(
        [
          this.#output,
          usageReporter,
          turnRecorder,
          recorder,
          ...(filed ? [new FileLongPrompt(filed)] : []),
          ...transforms,
          new MergeMessages(this.#attachments, messages),
        ],
        this.#route.upstream,
        { request: this.#upstreamRequest(messages, resumePoint), sink, signal: this.#request.signal },
      );
    } catch (error) {
      if (error instanceof UnpreparedError) this.#unprepared = messages;
      isRefused = isAccountBusy(error) || isChatBusy(error);
      throw error;
    } finally {
      stopKeeping?.();
      await turnRecorder.end(isRefused);
      if (this.#mode === "ephemeral") this.#dependencies.cleanup.sweep();
    }
  }

  #upstreamRequest(messages: Message[], resumePoint: ResumePoint | undefined): UpstreamRequest {
    const { model, search, thinking } = this.#route;
    return {
      model,
      messages,
      search,
      thinking,
      stream: this.#request.stream,
      ...(resumePoint ? { continueFrom: continueFrom(resumePoint) } : {}),
    };
  }
}

function continueFrom({ chat, parent, node }: ResumePoint): NonNullable<UpstreamRequest["continueFrom"]> {
  const { toolState } = node;
  return { chat, parent, ...(toolState === undefined ? {} : { toolState }) };
}
