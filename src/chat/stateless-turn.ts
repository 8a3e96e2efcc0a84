import type { ChatEvent, ChatRequest, EventSink } from "../core/types.js";
import type { Route } from "./model-router.js";
import type { SideRequestMatcher } from "./side-requests.js";
import type { UsageMeter } from "./usage-meter.js";

/**
 * One turn with an upstream that stores no conversations: sends the whole history; nothing is stored or cleaned up.
 * Searches only if the request enables it, since such a search costs money.
 */
export async function runStatelessTurn(
  sideRequests: SideRequestMatcher,
  request: ChatRequest,
  route: Route,
  { meter, sink }: { meter: UsageMeter; sink: EventSink },
): Promise<void> {
  const { upstream, model, search, thinking } = route;
  const upstreamRequest = {
    ...request,
    model,
    search: search === true,
    thinking: sideRequests.isSideRequest(request, route) ? model.thinking[0] : thinking,
  };
  const meteredSink: EventSink = (events) => {
    if (request.includeUsage) for (const event of events) meter.record(event);
    return sink(events.some(isUsage) ? events.filter((event) => !isUsage(event)) : events);
  };
  await upstream.chat(upstreamRequest, meteredSink, request.signal);
}

/** The upstream's usage events are dropped: `ChatService` emits usage itself, once and last. */
function isUsage({ type }: ChatEvent): boolean {
  return type === "usage";
}
