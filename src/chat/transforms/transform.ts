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
  events?(sink: EventSink): EventSink;
};

/** Creates the transform of a turn; undefined where the turn needs none. */
export type TransformFactory = (turn: { request: ChatRequest; route: Route }) => Transform | undefined;

/** Sends a request through the transforms, first to last, and the events back through them, last to first. */
export function sendThrough(
  transforms: readonly Transform[],
  upstream: Pick<Upstream, "chat">,
  { request, sink, signal }: { request: UpstreamRequest; sink: EventSink; signal: AbortSignal },
): Promise<void> {
  const sent = transforms.reduce((each, transform) => transform.request?.(each) ?? each, request);
  const received = transforms.reduce((each, transform) => transform.events?.(each) ?? each, sink);
  return upstream.chat(sent, received, signal);
}
