import type { AccountQueue } from "../accounts/account-queue.js";
import { GatewayError, toGatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { RequestRecord } from "../core/request-record.js";
import type { ChatEvent, EventSink, StartEvent, Upstream } from "../core/types.js";
import type { Slot } from "../lib/slot-queue.js";
import type { CircuitBreaker } from "./circuit-breaker.js";
import type { Route } from "./model-router.js";
import { ConversationAnsweringError, UnpreparedError } from "./thread.js";
import { OutputObserver } from "./transforms/output-observer.js";

/** Per upstream: the account's queue, the circuit breaker and the metrics, used for every request. */
export type UpstreamGuards = {
  queue: AccountQueue;
  circuitBreaker: CircuitBreaker;
  /** Called once for each attempt. `outcome` is `ok` or the error code. */
  observe(outcome: string, times: { queueMs: number; firstOutputMs: number | undefined }): void;
};

/** An upstream that may answer, and the `start` event to emit when it is tried. */
export type Candidate = UpstreamGuards & {
  route: Route;
  startEvent: StartEvent;
  /** Whether the request continues a stored conversation here. */
  isKnown(): Promise<boolean>;
  /** Resolves when the request's conversation is free; waits without a slot of the account. */
  waitUntilFree(signal: AbortSignal): Promise<void>;
  /** Fetches and uploads what the request refers to; done already, it does nothing. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Emits the answer. Throws ConversationAnsweringError to wait again, UnpreparedError to prepare again. */
  send(sink: EventSink): Promise<void>;
};

export type FailoverContext = {
  sink: EventSink;
  keyName: string;
  /** Identifies what is asked; called only after a failure. */
  prompt: () => Promise<string>;
  record: RequestRecord;
  signal: AbortSignal;
};

/**
 * Emits the answer of the first candidate that succeeds, each behind its own queue. Tries the next one only before
 * visible output, and only for the failures of `canFailOver` (docs/decisions/0007-no-account-rotation.md).
 * `account_busy` is retried at the same upstream, up to `limits.busyAttempts`. Throws the last failure.
 */
export async function answerWithFailover(
  [first, ...rest]: readonly [Candidate, ...Candidate[]],
  { sink, keyName, prompt, record, signal }: FailoverContext,
): Promise<void> {
  let candidate = first;
  let fallbacks = rest;
  for (let attempt = 1; ; attempt++) {
    const { queue, circuitBreaker, observe, route } = candidate;
    const timer = new AttemptTimer();
    let slot: Slot | undefined;
    let outcome = "cancelled";
    const output = new OutputObserver({
      onFirstOutput: () => {
        timer.markFirstOutput();
        record.recordFirstOutput();
      },
      onFinish: (reason) => {
        record.finish = reason;
      },
    });
    record.recordAttempt(candidate.startEvent);
    await sink([candidate.startEvent]);
    try {
      await record.timeWait(candidate.waitUntilFree(signal));
      queue.throwIfRefusing();
      await candidate.prepare(signal);
      timer.markPrepared();
      slot = await record.timeWait(queue.acquire(keyName, signal));
      timer.markDequeued();
      circuitBreaker.recordAttempt();
      await candidate.send(output.events(sink));
      if (!output.isFinished) throw new GatewayError("upstream_cut", "The answer ended without its end.");
      return;
    } catch (error) {
      // The answer has finished, so it must not be retried.
      if (output.isFinished) throw error;
      if (error instanceof ConversationAnsweringError || error instanceof UnpreparedError) {
        if (error instanceof ConversationAnsweringError) outcome = "chat_busy";
        attempt--;
        continue;
      }
      outcome = toGatewayError(error).code;
      // The slot of a client that left is free at once.
      if (outcome === "cancelled") throw error;
      const failedPrompt = await prompt();
      if (slot) queue.recordFailure(error, failedPrompt);
      circuitBreaker.recordFailure(error, failedPrompt);
      if (output.hasOutput) throw error;
      if (slot && isAccountBusy(error) && attempt < limits.busyAttempts) continue;
      const nextIndex = fallbacks.findIndex((other) =>
        canFailOver(error, route.upstream, other.route.upstream),
      );
      const fallback = fallbacks[nextIndex];
      if (!fallback) throw error;
      fallbacks = fallbacks.slice(nextIndex + 1);
      await sink([failoverNotice(route.upstream, fallback.route.upstream, error)]);
      candidate = fallback;
    } finally {
      if (output.isFinished) {
        queue.recordSuccess();
        circuitBreaker.recordSuccess();
        outcome = "ok";
      }
      slot?.release();
      observe(outcome, timer);
    }
  }
}

/** Times of one attempt, in milliseconds: in the queue once all is prepared, and from there to the first visible output. */
class AttemptTimer {
  #lapStart = performance.now();
  queueMs = 0;
  firstOutputMs: number | undefined;

  markPrepared(): void {
    this.#lap();
  }

  markDequeued(): void {
    this.queueMs = this.#lap();
  }

  markFirstOutput(): void {
    this.firstOutputMs = this.#lap();
  }

  #lap(): number {
    const previous = this.#lapStart;
    this.#lapStart = performance.now();
    return this.#lapStart - previous;
  }
}

/**
 * Whether the request may be sent to another upstream after this failure. Accounts are not rotated to escape a quota.
 */
function canFailOver(error: unknown, from: Upstream, to: Upstream): boolean {
  if (!(error instanceof GatewayError)) return false;
  switch (error.code) {
    case "account_login_required":
    case "upstream_unavailable":
    case "upstream_overloaded":
      return true;
    case "quota_exceeded": {
      // An upstream that stores chats is a person's account, whichever protocol it uses.
      const bothAccounts = from.chatStructure !== "none" && to.chatStructure !== "none";
      return from.kind !== to.kind && !bothAccounts;
    }
    default:
      return false;
  }
}

/** Kimi refused the request because the account is answering another one. */
export function isAccountBusy(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "account_busy";
}

function failoverNotice(from: Upstream, to: Upstream, error: unknown): ChatEvent {
  const reason = error instanceof GatewayError ? error.code : "internal";
  return {
    type: "notice",
    code: "upstream_changed",
    message: `${to.name} answers, because ${from.name} could not (${reason}).`,
  };
}
