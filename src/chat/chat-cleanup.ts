import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ConversationStore, StoredChat } from "../core/store.js";
import type { Upstream } from "../core/types.js";
import { UnsavedChats } from "./unsaved-chats.js";

/** Open upstreams: those of now, and their use by work during which none of them is closed. */
export type OpenUpstreams = {
  readonly current: readonly { upstream: Upstream }[];
  use<Result>(work: (upstreams: readonly { upstream: Upstream }[]) => Promise<Result>): Promise<Result>;
};

/**
 * Deletes due chats upstream, only those that Moonbridge has created. The due times are in the store, so they survive a
 * crash; failed deletions are retried with exponential back-off.
 */
export class ChatCleanup {
  readonly #store: ConversationStore;
  readonly #upstreams: OpenUpstreams;
  readonly #warn: (message: string, error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = new AbortController();
  readonly #unsavedChats: UnsavedChats;
  #currentSweep: Promise<void> | undefined;
  #sweepAgain = false;

  constructor(
    store: ConversationStore,
    upstreams: OpenUpstreams,
    warn: (message: string, error: unknown) => void,
  ) {
    this.#store = store;
    this.#unsavedChats = new UnsavedChats(store);
    this.#upstreams = upstreams;
    this.#warn = warn;
    this.#timer = setInterval(() => this.sweep(), limits.cleanupInterval).unref();
  }

  /** Stores a chat as due for deletion. If the store does not take it, this rejects, and the next sweeps try it again. */
  saveChat(chat: Omit<StoredChat, "attempts">): Promise<void> {
    return this.#unsavedChats.save(chat);
  }

  /** Starts deleting due chats. A call during a sweep makes one more sweep follow it. */
  sweep(): void {
    if (this.#abort.signal.aborted) return;
    if (this.#currentSweep) {
      this.#sweepAgain = true;
      return;
    }
    this.#currentSweep = this.#sweepOnce()
      .catch((error: unknown) => this.#warn("chats that are due could not be looked up", error))
      .finally(() => {
        this.#currentSweep = undefined;
        if (this.#sweepAgain) {
          this.#sweepAgain = false;
          this.sweep();
        }
      });
  }

  /** Resolves when the current sweep has ended, and the one that follows it. */
  async settle(): Promise<void> {
    while (this.#currentSweep) await this.#currentSweep;
  }

  /** Resolves when the current sweep has ended; it begins no further deletion. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort(new GatewayError("shutting_down", "Moonbridge is shutting down."));
    await this.#currentSweep;
  }

  async #sweepOnce(): Promise<void> {
    await this.#unsavedChats.retry();
    const now = Date.now();
    const { conversationNodes: nodes, forgottenAnswers, tombstone } = limits;
    await this.#store.trimNodes({ nodes, forgottenAnswers, tombstonesBefore: now - tombstone }, now);
    for (;;) {
      const names = this.#upstreams.current.map(({ upstream }) => upstream.name);
      const due = await this.#store.listDueChats(names, Date.now(), limits.cleanupBatch);
      for (const chat of due) {
        if (this.#abort.signal.aborted) return;
        await this.#delete(chat);
      }
      if (due.length < limits.cleanupBatch) return;
    }
  }

  async #delete({ upstream, chat, attempts }: StoredChat): Promise<void> {
    try {
      await this.#upstreams.use(async (active) => {
        const owner = active.find(({ upstream: { name } }) => name === upstream);
        await owner?.upstream.deleteChat?.(chat, this.#abort.signal);
      });
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === "not_found")) {
        const pause = Math.min(limits.cleanupInterval * 2 ** attempts, limits.cleanupMaxPause);
        await this.#store.postponeChat(upstream, chat, Date.now() + pause);
        if (attempts === 0) this.#warn("a chat could not be deleted upstream; it will be tried again", error);
        return;
      }
    }
    await this.#store.removeChat(upstream, chat, Date.now());
  }
}
