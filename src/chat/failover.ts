import type { AccountQueue, Slot } from "../accounts/queue.js";
import { GatewayError, toGatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import { type ChatEvent, type EventSink, isVisible, type Upstream } from "../core/types.js";
import type { Breaker } from "./circuit-breaker.js";
import type { Route } from "./model-router.js";

/** What stands in front of an upstream: the queue of its account, what is known of its failures, and who counts. */
export type Gates = {
  queue: AccountQueue;
  breaker: Breaker;
  /** Hears how each attempt went: `ok` or the failure's code; times in milliseconds. */
  observe(outcome: string, times: { waited: number; first: number | undefined }): void;
};

/** An upstream that may answer. */
export type Candidate = Gates & { route: Route; start: ChatEvent };

/**
 * Tells the answer of the first candidate that can give one, once it is the request's turn there (design §4
 * “Routing”). The next is asked only before anything can have been seen, and only for a failure that is a reason to;
 * an account that turns out to be busy elsewhere is waited for again.
 */
export async function firstToAnswer(
  [first, ...rest]: readonly [Candidate, ...Candidate[]],
  ask: (route: Route, tell: EventSink) => Promise<void>,
  { tell, key, signal }: { tell: EventSink; key: string; signal: AbortSignal },
): Promise<void> {
  let candidate = first;
  let others = rest;
  for (let attempt = 1; ; attempt++) {
    const { queue, breaker, observe, route } = candidate;
    const times = new Times();
    let slot: Slot | undefined;
    let seen = false;
    let outcome = "cancelled";
    const hear: EventSink = (events) => {
      if (!seen && events.some(isVisible)) {
        seen = true;
        times.seen();
      }
      if (events.at(-1)?.type === "finish") {
        queue.answered();
        breaker.succeeded();
        outcome = "ok";
      }
      return tell(events);
    };
    await tell([candidate.start]);
    try {
      slot = await queue.enter(key, signal);
      times.turn();
      breaker.begin();
      await ask(route, hear);
      if (outcome !== "ok") throw new GatewayError("upstream_cut", "The answer ended without its end.");
      return;
    } catch (error) {
      // The answer was given, and nothing may follow its end.
      if (outcome === "ok") throw error;
      outcome = toGatewayError(error).code;
      if (slot) queue.heed(error);
      breaker.failed(error);
      if (seen) throw error;
      if (slot && isBusy(error) && attempt < limits.busyAttempts) continue;
      const next = others.findIndex((other) => mayMoveOn(error, route.upstream, other.route.upstream));
      const found = others[next];
      if (!found) throw error;
      others = others.slice(next + 1);
      await tell([movedOn(route.upstream, found.route.upstream, error)]);
      candidate = found;
    } finally {
      slot?.release();
      observe(outcome, times);
    }
  }
}

/** How long one attempt took, in milliseconds. */
class Times {
  #since = performance.now();
  waited = 0;
  first: number | undefined;

  /** Its turn has come. */
  turn(): void {
    this.waited = this.#lap();
  }

  seen(): void {
    this.first = this.#lap();
  }

  #lap(): number {
    const before = this.#since;
    this.#since = performance.now();
    return this.#since - before;
  }
}

/** Whether another upstream may be asked after this failure. Nobody rotates over accounts to escape a quota. */
function mayMoveOn(error: unknown, from: Upstream, to: Upstream): boolean {
  if (!(error instanceof GatewayError)) return false;
  switch (error.code) {
    case "account_login_required":
    case "upstream_unavailable":
    case "upstream_overloaded":
      return true;
    case "quota_exceeded": {
      // Whatever keeps chats is a person's account, whichever protocol it speaks.
      const bothAccounts = from.chatStructure !== "none" && to.chatStructure !== "none";
      return from.kind !== to.kind && !bothAccounts;
    }
    default:
      return false;
  }
}

/** Kimi answers something else on this account right now, and did not take this. */
export function isBusy(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "account_busy";
}

function movedOn(from: Upstream, to: Upstream, error: unknown): ChatEvent {
  const why = error instanceof GatewayError ? error.code : "internal";
  return {
    type: "notice",
    code: "upstream_changed",
    message: `${to.name} answers, because ${from.name} could not (${why}).`,
  };
}
