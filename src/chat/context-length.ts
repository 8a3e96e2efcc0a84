import { GatewayError } from "../core/errors.js";
import type { Message, Model } from "../core/types.js";
import { countTokens, mayExceed } from "./token-count.js";

/** Throws `context_length_exceeded` if the messages do not fit the model's context. */
export async function rejectTooLong(
  messages: readonly Message[],
  { id, contextLength }: Model,
): Promise<void> {
  if (contextLength === undefined || !mayExceed(messages, contextLength)) return;
  const tokens = await countTokens(messages);
  if (tokens <= contextLength) return;
  throw new GatewayError(
    "context_length_exceeded",
    `This conversation has about ${tokens} tokens; ${id} takes ${contextLength}. Shorten it or start a new one.`,
    { param: "messages", tooLong: { tokens, limit: contextLength } },
  );
}
