import { limits } from "../../core/limits.js";
import type { ChatEvent, ChatMode, EventSink } from "../../core/types.js";
import type { ChatCleanup } from "../chat-cleanup.js";
import type { ResumePoint, Thread } from "../thread.js";
import { trySave } from "../try-save.js";
import type { AnswerRecorder } from "./answer-recorder.js";
import type { Transform } from "./transform.js";

type ChatOpened = Extract<ChatEvent, { type: "chat-opened" }>;
type Finish = Extract<ChatEvent, { type: "finish" }>;

export type TurnRecorderDependencies = {
  cleanup: Pick<ChatCleanup, "saveChat">;
  chats: { keepHours: number };
  /** Writes a warning to the log; `error` contains no content of the conversation. */
  warn: (message: string, error: unknown) => void;
};

/** The turn to record. `recorder` records its answer. */
export type RecordedTurn = {
  thread: Thread;
  upstream: string;
  mode: ChatMode;
  resumePoint: ResumePoint | undefined;
  recorder: AnswerRecorder;
};

/**
 * Stores what is left of one sent turn: its chat, as due for deletion, and the finished turn, before the client sees its
 * end. The client receives the conversation's id instead of the upstream's, or none where the chat cannot be continued.
 */
export class TurnRecorder implements Transform {
  readonly #dependencies: TurnRecorderDependencies;
  readonly #turn: RecordedTurn;
  #opened: ChatOpened | undefined;
  #isSaved = false;
  #isFinished = false;

  constructor(dependencies: TurnRecorderDependencies, turn: RecordedTurn) {
    this.#dependencies = dependencies;
    this.#turn = turn;
  }

  events(sink: EventSink): EventSink {
    return (events) => {
      const opened = events.find((event) => event.type === "chat-opened");
      if (opened) {
        this.#opened = opened;
        // Stored at once, so that a crash leaves no chat behind; not due before the answer must have ended, as the claim of a
        // continued chat has set it. Not awaited: the store preserves the order of writes.
        if (opened.chat !== this.#turn.resumePoint?.chat)
          void this.#scheduleDeletion(opened.chat, Math.max(limits.answer, this.#retentionMs));
      }
      const clientEvents = opened ? this.#toClientEvents(events) : events;
      const last = events.at(-1);
      if (last?.type === "finish" && this.#opened)
        return this.#recordEnd(last, this.#opened).then(() => sink(clientEvents));
      return clientEvents.length > 0 ? sink(clientEvents) : undefined;
    };
  }

  /**
   * To be called after the answer has ended, however it did: ends the claim of a turn that was not stored. `isRefused`: the
   * upstream has not added the message to the chat.
   */
  async end(isRefused: boolean): Promise<void> {
    const { thread, resumePoint } = this.#turn;
    if (resumePoint && !this.#isSaved)
      await this.#trySave(() => thread.release(resumePoint, !this.#opened || isRefused));
    if (this.#opened && !this.#isFinished) await this.#advanceDeletion(this.#opened);
  }

  async #recordEnd(finish: Finish, opened: ChatOpened): Promise<void> {
    await Promise.all([this.#save(finish, opened), this.#advanceDeletion(opened)]);
    this.#isFinished = true;
  }

  /** Saves the turn if it can be continued: only if the upstream holds exactly what the client was given. */
  async #save({ reason, isInexact }: Finish, opened: ChatOpened): Promise<void> {
    const { mode, thread, recorder, resumePoint } = this.#turn;
    if (mode !== "native" || isInexact || reason === "content-filter") return;
    this.#isSaved = await this.#trySave(() => thread.save(opened, recorder.answer, resumePoint));
  }

  /** Replaces the provisional due time (`limits.answer` from the start) by an earlier one, if the chat is kept for less. */
  async #advanceDeletion({ chat }: ChatOpened): Promise<void> {
    if (this.#retentionMs < limits.answer) await this.#scheduleDeletion(chat, this.#retentionMs);
  }

  /** Stores a chat as due for deletion after a delay in milliseconds. */
  async #scheduleDeletion(chat: string, milliseconds: number): Promise<void> {
    const { upstream, thread } = this.#turn;
    const dueAt = Date.now() + milliseconds;
    await this.#trySave(() =>
      this.#dependencies.cleanup.saveChat({ upstream, chat, scope: thread.scope, dueAt }),
    );
  }

  #trySave(save: () => Promise<void>): Promise<boolean> {
    return trySave(save, this.#dependencies.warn);
  }

  get #retentionMs(): number {
    return this.#turn.mode === "ephemeral" ? 0 : this.#dependencies.chats.keepHours * 3_600_000;
  }

  #toClientEvents(events: readonly ChatEvent[]): ChatEvent[] {
    const { mode, thread } = this.#turn;
    if (mode !== "native") return events.filter(({ type }) => type !== "chat-opened");
    return events.map((event) =>
      event.type === "chat-opened" ? { type: "conversation", id: thread.conversationId } : event,
    );
  }
}
