import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { StoredChat, ThreadStore } from "../core/store.js";
import type { Upstream } from "../core/types.js";

/**
 * Deletes the chats that Moonbridge has created upstream once they are due, and never any other. What is due stands
 * in the store, so a crash forgets nothing; what cannot be deleted is tried again with growing pauses.
 */
export class Cleanup {
  readonly #store: ThreadStore;
  readonly #upstreams: ReadonlyMap<string, Upstream>;
  readonly #warn: (message: string, error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #stop = new AbortController();
  #sweeping: Promise<void> | undefined;
  #again = false;

  constructor(
    store: ThreadStore,
    upstreams: readonly Upstream[],
    warn: (message: string, error: unknown) => void,
  ) {
    this.#store = store;
    this.#upstreams = new Map(upstreams.map((upstream) => [upstream.name, upstream]));
    this.#warn = warn;
    this.#timer = setInterval(() => this.sweep(), limits.cleanupEvery).unref();
  }

  /** Deletes what is due now; one sweep at a time, and one more if it is asked for meanwhile. */
  sweep(): void {
    if (this.#stop.signal.aborted) return;
    if (this.#sweeping) {
      this.#again = true;
      return;
    }
    this.#sweeping = this.#sweepOnce()
      .catch((error: unknown) => this.#warn("chats that are due could not be looked up", error))
      .finally(() => {
        this.#sweeping = undefined;
        if (this.#again) {
          this.#again = false;
          this.sweep();
        }
      });
  }

  /** Ends the sweeps; the one that runs gives up what it has not begun. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort(new GatewayError("shutting_down", "Moonbridge is shutting down."));
    await this.#sweeping;
  }

  async #sweepOnce(): Promise<void> {
    await this.#store.trimThreads(limits.threads);
    const names = [...this.#upstreams.keys()];
    for (;;) {
      const due = await this.#store.dueChats(names, Date.now(), limits.cleanupLot);
      for (const chat of due) {
        if (this.#stop.signal.aborted) return;
        await this.#delete(chat);
      }
      if (due.length < limits.cleanupLot) return;
    }
  }

  async #delete({ upstream, chat, attempts }: StoredChat): Promise<void> {
    try {
      await this.#upstreams.get(upstream)?.deleteChat?.(chat, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === "not_found")) {
        const pause = Math.min(limits.cleanupEvery * 2 ** attempts, limits.cleanupLongestPause);
        await this.#store.postponeChat(upstream, chat, Date.now() + pause);
        if (attempts === 0) this.#warn("a chat could not be deleted upstream; it will be tried again", error);
        return;
      }
    }
    await this.#store.removeChat(upstream, chat);
  }
}
