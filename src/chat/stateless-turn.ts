import type { ChatRequest, EventSink, UpstreamRequest } from "../core/types.js";
import type { Route } from "./model-router.js";
import { RejectedAnswerError } from "./tools/rejected-answer.js";
import { sendThrough } from "./transforms/transform.js";
import type { TurnContext } from "./turn.js";

/** One turn with an upstream that stores no conversations: sends the whole history; nothing is stored or cleaned up. */
export class StatelessTurn {
  readonly #request: ChatRequest;
  readonly #route: Route;
  readonly #context: TurnContext;
  #upstreamRequest: UpstreamRequest;
  #isPrepared = false;

  constructor(request: ChatRequest, route: Route, context: TurnContext) {
    this.#request = request;
    this.#route = route;
    this.#context = context;
    const { model, search, thinking } = route;
    this.#upstreamRequest = { ...request, model, search, thinking };
  }

  /** There are no stored conversations. */
  async isKnown(): Promise<boolean> {
    return false;
  }

  /** There is no conversation to wait for. */
  async waitUntilFree(_signal: AbortSignal): Promise<void> {}

  /** Lets the upstream fetch what it needs; see `Upstream.prepare`. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { upstream } = this.#route;
    if (this.#isPrepared || !upstream.prepare) return;
    const fetchPicture = (url: string, fetchSignal: AbortSignal) =>
      this.#context.links.fetchPicture(url, fetchSignal);
    this.#upstreamRequest = await upstream.prepare(this.#upstreamRequest, fetchPicture, signal);
    this.#isPrepared = true;
  }

  /** Emits the answer; one that a transform rejects is asked for again. */
  async run(sink: EventSink): Promise<void> {
    for (;;) {
      try {
        return await this.#send(sink);
      } catch (error) {
        if (!(error instanceof RejectedAnswerError)) throw error;
        // The slot is that of the first message.
        await this.#context.queue.waitForStart(this.#request.signal);
      }
    }
  }

  async #send(sink: EventSink): Promise<void> {
    const { recorder, usageReporter, transforms } = this.#context;
    // The answer is recorded for its usage alone.
    const { usage, principal } = this.#request;
    const recorders = usage === "none" && principal.tokensPerDay === undefined ? [] : [recorder];
    await sendThrough([usageReporter, ...recorders, ...transforms], this.#route.upstream, {
      request: this.#upstreamRequest,
      sink,
      signal: this.#request.signal,
    });
  }
}
