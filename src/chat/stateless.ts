import type { Chores } from "./chores.js";
import type { Route } from "./route.js";
import type { ChatRequest, Listener } from "./types.js";
import type { UsageMeter } from "./usage.js";

/**
 * One turn with an upstream that keeps no chats: it is given the whole history, and leaves nothing to go on from or
 * to clean up. It searches only where the request says so: such a search costs money.
 */
export async function statelessTurn(
  chores: Chores,
  request: ChatRequest,
  { upstream, model, search, thinking }: Route,
  { meter, tell, signal }: { meter: UsageMeter; tell: Listener; signal: AbortSignal },
): Promise<void> {
  const isChore = chores.isChore(request.messages);
  const asked = {
    ...request,
    model,
    search: search === true && !isChore,
    thinking: isChore ? model.thinking[0] : thinking,
  };
  const hear: Listener = (events) => {
    for (const event of events) meter.hear(event);
    return tell(events.filter(({ type }) => type !== "usage"));
  };
  await upstream.chat(asked, hear, signal);
}
