import type { ChatEvent, ChatRequest, EventSink } from "../core/types.js";
import type { Route } from "./model-router.js";
import type { Chores } from "./side-requests.js";
import type { UsageMeter } from "./usage.js";

/**
 * One turn with an upstream that keeps no chats: it is given the whole history, and leaves nothing to go on from or
 * to clean up. It searches only where the request says so: such a search costs money.
 */
export async function statelessTurn(
  chores: Chores,
  request: ChatRequest,
  { upstream, model, search, thinking }: Route,
  { meter, tell }: { meter: UsageMeter; tell: EventSink },
): Promise<void> {
  const isChore = chores.isChore(request.messages);
  const asked = {
    ...request,
    model,
    search: search === true && !isChore,
    thinking: isChore ? model.thinking[0] : thinking,
  };
  const hear: EventSink = (events) => {
    if (request.includeUsage) for (const event of events) meter.hear(event);
    return tell(events.some(isUsage) ? events.filter((event) => !isUsage(event)) : events);
  };
  await upstream.chat(asked, hear, request.signal);
}

/** What the upstream says of it; the chat tells that itself, and last. */
function isUsage({ type }: ChatEvent): boolean {
  return type === "usage";
}
