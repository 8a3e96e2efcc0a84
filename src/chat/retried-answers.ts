import { limits } from "../core/limits.js";
import type { RequestRecord } from "../core/request-record.js";
import type { ChatRequest, EventSink } from "../core/types.js";
import { RetriedAnswer } from "./retried-answer.js";

type Answer = (request: ChatRequest, sink: EventSink, record: RequestRecord) => Promise<void>;

/**
 * Gives a request that comes again, with the same `idempotency`, the answer that is still being made for it, from its
 * beginning. Such an answer outlives its client for `limits.retryWait`. The newest request has the answer alone: an earlier one
 * that is still open ends with `cancelled`.
 */
export class RetriedAnswers {
  readonly #answer: Answer;
  readonly #running = new Map<string, RetriedAnswer>();

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  answer(request: ChatRequest, sink: EventSink, record: RequestRecord): Promise<void> {
    const { idempotency, signal } = request;
    if (idempotency === undefined) return this.#answer(request, sink, record);
    const running = this.#running.get(idempotency);
    if (running?.isWhole) return running.attach(sink, signal);
    if (running || this.#running.size >= limits.retriedAnswers) return this.#answer(request, sink, record);
    const answer = new RetriedAnswer(() => {
      if (this.#running.get(idempotency) === answer) this.#running.delete(idempotency);
    });
    this.#running.set(idempotency, answer);
    const attached = answer.attach(sink, signal);
    answer.start((events, stop) => this.#answer({ ...request, signal: stop }, events, record));
    return attached;
  }
}
