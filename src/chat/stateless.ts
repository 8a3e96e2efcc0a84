import type { Chores } from "./chores.js";
import type { Route } from "./route.js";
import type { ChatEvent, ChatRequest } from "./types.js";
import type { UsageMeter } from "./usage.js";

/**
 * One turn with an upstream that keeps no chats: it is given the whole history, and leaves nothing to go on from or
 * to clean up. It searches only where the request says so: such a search costs money.
 */
export async function* statelessTurn(
  chores: Chores,
  request: ChatRequest,
  { upstream, model, search, thinking }: Route,
  meter: UsageMeter,
  signal: AbortSignal,
): AsyncGenerator<readonly ChatEvent[]> {
  const isChore = chores.isChore(request.messages);
  const asked = {
    ...request,
    model,
    search: search === true && !isChore,
    thinking: isChore ? model.thinking[0] : thinking,
  };
  for await (const events of upstream.chat(asked, signal)) {
    for (const event of events) meter.hear(event);
    yield events.filter(({ type }) => type !== "usage");
  }
}
