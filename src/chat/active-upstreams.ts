import type { ToolMode, Upstream } from "../core/types.js";
import type { UpstreamGuards } from "./failover.js";

/** An open upstream, with the queue, circuit breaker and metrics in front of it, and whether its functions are emulated. */
export type ActiveUpstream = { upstream: Upstream; guards: UpstreamGuards; toolMode: ToolMode };

/**
 * The upstreams that answer requests now, in the order of the configuration. They can be replaced while the server runs: work
 * in progress ends on the upstreams that it began with, and each of those is closed after the last work with it.
 */
export class ActiveUpstreams {
  readonly #warn: (message: string, error: unknown) => void;
  #current: readonly ActiveUpstream[];
  /** Replaced upstreams that are still in use. */
  readonly #replaced = new Set<ActiveUpstream>();
  /** Running calls of `use` by upstream. */
  readonly #uses = new Map<ActiveUpstream, number>();

  constructor(upstreams: readonly ActiveUpstream[], warn: (message: string, error: unknown) => void) {
    this.#current = upstreams;
    this.#warn = warn;
  }

  /** For reports and look-ups. Requests that must outlive a replacement go through `use`. */
  get current(): readonly ActiveUpstream[] {
    return this.#current;
  }

  /** Runs `work` with the current upstreams, none of which is closed before it has ended. */
  async use<Result>(work: (upstreams: readonly ActiveUpstream[]) => Promise<Result>): Promise<Result> {
    const used = this.#current;
    for (const each of used) this.#uses.set(each, (this.#uses.get(each) ?? 0) + 1);
    try {
      return await work(used);
    } finally {
      for (const each of used) {
        const uses = (this.#uses.get(each) ?? 1) - 1;
        if (uses > 0) this.#uses.set(each, uses);
        else this.#uses.delete(each);
        this.#closeIfUnused(each);
      }
    }
  }

  /** From now on these are the upstreams. Those that are not among them are closed when nobody uses them. */
  replace(upstreams: readonly ActiveUpstream[]): void {
    const removed = this.#current.filter((each) => !upstreams.includes(each));
    this.#current = upstreams;
    for (const each of removed) {
      this.#replaced.add(each);
      this.#closeIfUnused(each);
    }
  }

  /** Rejects the requests in all queues with `shutting_down`. */
  closeQueues(): void {
    for (const { guards } of [...this.#current, ...this.#replaced]) guards.queue.close();
  }

  /** Closes all upstreams, also those in use. */
  async close(): Promise<void> {
    const all = [...this.#current, ...this.#replaced];
    this.#current = [];
    this.#replaced.clear();
    await Promise.all(all.map(({ upstream }) => upstream.close()));
  }

  #closeIfUnused(each: ActiveUpstream): void {
    if (this.#uses.has(each) || !this.#replaced.delete(each)) return;
    each.upstream
      .close()
      .catch((error: unknown) => this.#warn("an upstream that was replaced could not be closed", error));
  }
}
