import { GatewayError } from "../core/errors.js";
import type { ChatEvent } from "../core/types.js";

export const unknownConversation: ChatEvent = {
  type: "notice",
  code: "conversation_unknown",
  message:
    "This conversation is not known here any more; the answer rests on the messages of this request alone.",
};

export function conversationNotFound(): GatewayError {
  return new GatewayError(
    "conversation_not_found",
    "This conversation is unknown or has expired, or its last answer was stopped. Send the messages so far, or leave " +
      "conversation_id out to begin a new one.",
    { param: "conversation_id" },
  );
}

/** For a request that rests on a conversation alone while the store does not answer. */
export function conversationUnreadable(): GatewayError {
  return new GatewayError(
    "store_unavailable",
    "The conversation cannot be looked up, because Moonbridge's store does not answer. Try again in a moment, or send the " +
      "messages so far.",
    { param: "conversation_id", retryAfterSeconds: 5 },
  );
}

export function isConversationNotFound(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "conversation_not_found";
}

/** The upstream answered in another chat, or after another message, than was asked for. */
export function isUntrustworthy(error: unknown): boolean {
  return error instanceof GatewayError && error.upstreamCode === "wrong_place";
}

/** The upstream answered elsewhere, or took the message as malformed, which may be for the answer that it continues. */
export function isPlaceRefused(error: unknown): boolean {
  const refusals = ["invalid_argument", "failed_precondition"];
  return (
    isUntrustworthy(error) || (error instanceof GatewayError && refusals.includes(error.upstreamCode ?? ""))
  );
}

/** The chat was deleted upstream, or is too long to continue. */
export function isChatLost(error: unknown): boolean {
  return (
    error instanceof GatewayError && (error.code === "not_found" || error.code === "context_length_exceeded")
  );
}

/** The upstream refused a message because it is still answering in that chat. */
export function isChatBusy(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "chat_busy";
}
