import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Message, Part } from "../core/types.js";

/**
 * Throws `invalid_request` for more messages, and `context_length_exceeded` for more text, than any upstream takes:
 * hashing, matching and counting them would hold up other requests. Pictures and files do not count.
 */
export function rejectOversized(messages: readonly Message[]): void {
  if (messages.length > limits.messages) {
    throw new GatewayError("invalid_request", `messages: at most ${limits.messages} are taken.`, {
      param: "messages",
    });
  }
  const length = messages.reduce((sum, message) => sum + textLength(message), 0);
  if (length <= limits.messageText) return;
  throw new GatewayError(
    "context_length_exceeded",
    `This conversation has ${length} characters of text; at most ${limits.messageText} are taken. Shorten it or start a new one.`,
    { param: "messages" },
  );
}

function textLength(message: Message): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const parts = message.content.reduce((sum, part) => sum + partLength(part), 0);
  const callLengths = calls.reduce((sum, call) => sum + call.name.length + call.arguments.length, 0);
  return parts + callLengths + (message.role === "assistant" ? (message.reasoning?.length ?? 0) : 0);
}

function partLength(part: Part): number {
  if (part.type === "text") return part.text.length;
  const { source, name = "" } = part;
  switch (source.kind) {
    case "bytes":
      return name.length;
    case "link":
      return name.length + source.url.length;
    case "file-id":
      return name.length + source.id.length;
  }
}
