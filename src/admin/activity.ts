import type { JournalEntry } from "../core/journal.js";
import { limits } from "../core/limits.js";

/** A request that has begun and is authenticated. */
type StartedRequest = {
  id: string;
  startedAt: number;
  method: string;
  route: string;
  dialect: string | undefined;
  key: string | undefined;
};

/** What happens in the gateway, for those who watch it. */
export type ActivityEvent =
  | { type: "request-started"; request: StartedRequest }
  | { type: "request-ended"; entry: JournalEntry }
  | { type: "drift"; drift: { kind: string; name: string; count: number } };

type Listener = (event: ActivityEvent) => void;

/** Passes events on to the clients of `GET /v1/admin/events`; without any, an event costs nothing. */
export class Activity {
  readonly #listeners = new Set<Listener>();

  /** Whether anybody watches. */
  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  emit(event: ActivityEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Returns what ends the subscription; undefined if there are `limits.activityListeners` already. */
  subscribe(listener: Listener): (() => void) | undefined {
    if (this.#listeners.size >= limits.activityListeners) return undefined;
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
