import { GatewayError } from "../../core/errors.js";

/** Whose call it is: the name of the API key, the session that the client names, and the JSON-RPC id of the request. */
export type CallId = { key: string; session: string | undefined; request: string | number };

/** A call that can be cancelled. `end` must be called when it is over. */
export type RunningCall = { signal: AbortSignal; end(): void };

export function callCancelled(): GatewayError {
  return new GatewayError("cancelled", "The client cancelled the call.");
}

/**
 * The calls that are running over HTTP, where a cancellation arrives as a request of its own. Sessions have no other state
 * than this.
 */
export class RunningCalls {
  readonly #calls = new Map<string, Set<AbortController>>();

  start(id: CallId): RunningCall {
    const name = nameOf(id);
    const calls = this.#calls.get(name) ?? new Set();
    const controller = new AbortController();
    this.#calls.set(name, calls.add(controller));
    return {
      signal: controller.signal,
      end: () => {
        calls.delete(controller);
        if (calls.size === 0) this.#calls.delete(name);
      },
    };
  }

  /** Cancels a call, unless several have this id: clients without a session may count from the same number. */
  cancel(id: CallId): void {
    const calls = this.#calls.get(nameOf(id));
    if (calls?.size !== 1) return;
    for (const controller of calls) controller.abort(callCancelled());
  }
}

/** JSON keeps the ids `1` and `"1"` apart. */
function nameOf({ key, session, request }: CallId): string {
  return JSON.stringify([key, session ?? null, request]);
}
