import type { ChatRequest, EventSink, Upstream, UpstreamRequest } from "../../core/types.js";
import type { Route } from "../model-router.js";

/**
 * Changes what goes to an upstream and what comes back, without either side knowing of it. A transform is made for one turn;
 * `request` and `events` are called once for each time that the turn is sent.
 */
export type Transform = {
  /** The request to send on. */
  request?(request: UpstreamRequest): UpstreamRequest;
  /** A sink for the upstream's events that passes its own on to `sink`. An error that it throws stops the upstream. */
  events?(sink: EventSink, upstream: UpstreamControl): EventSink;
};

/** What a transform can do about the running upstream. */
export type UpstreamControl = {
  /**
   * To be called when the transform has emitted the answer's end before the upstream has: how the upstream ends does not
   * matter any more, and after so many milliseconds it is stopped.
   */
  stopWithin(milliseconds: number): void;
};

/** Creates the transform of a turn; undefined where the turn needs none. */
export type TransformFactory = (turn: { request: ChatRequest; route: Route }) => Transform | undefined;

/** Sends a request through the transforms, first to last, and the events back through them, last to first. */
export async function sendThrough(
  transforms: readonly Transform[],
  upstream: Pick<Upstream, "chat">,
  { request, sink, signal }: { request: UpstreamRequest; sink: EventSink; signal: AbortSignal },
): Promise<void> {
  const stopper = new UpstreamStopper(signal);
  const sent = transforms.reduce((each, transform) => transform.request?.(each) ?? each, request);
  const received = transforms.reduce((each, transform) => transform.events?.(each, stopper) ?? each, sink);
  try {
    await upstream.chat(sent, received, stopper.signal);
  } catch (error) {
    if (!stopper.isEnded) throw error;
  } finally {
    stopper.clear();
  }
}

/** Aborts with the request's signal, or for a transform. Not `AbortSignal.any`, which Node 20 may collect while it is used. */
class UpstreamStopper implements UpstreamControl {
  readonly #controller = new AbortController();
  readonly #requestSignal: AbortSignal;
  readonly #onAbort = () => this.#controller.abort(this.#requestSignal.reason);
  #timer: NodeJS.Timeout | undefined;

  constructor(requestSignal: AbortSignal) {
    this.#requestSignal = requestSignal;
    if (requestSignal.aborted) this.#onAbort();
    else requestSignal.addEventListener("abort", this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether a transform has ended the answer. */
  get isEnded(): boolean {
    return this.#timer !== undefined;
  }

  stopWithin(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), milliseconds);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#requestSignal.removeEventListener("abort", this.#onAbort);
  }
}
