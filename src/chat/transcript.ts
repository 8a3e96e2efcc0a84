import { GatewayError } from "../core/errors.js";
import { textOf } from "../core/message-content.js";
import type { MediaPart, Message, Part } from "../core/types.js";

/**
 * Merges a whole history into one user message. A single user message stays as it is; otherwise each message becomes a
 * paragraph with its role in front. Pictures and files follow the text, which has `[attachment n]` in their place.
 * Empty messages are left out. Throws `invalid_request` if all are empty.
 */
export function mergeTranscript(messages: readonly Message[]): Message {
  const nonEmpty = messages.filter((message) => !isEmptyMessage(message));
  if (nonEmpty.length === 0) throw noTextError();
  const media: MediaPart[] = [];
  const single = nonEmpty.length === 1 ? nonEmpty[0] : undefined;
  const text =
    single?.role === "user"
      ? textOf(single.content)
      : nonEmpty.map((message) => formatMessage(message, (part) => media.push(part))).join("\n\n");
  if (single?.role === "user") media.push(...single.content.filter((part) => part.type !== "text"));
  return { role: "user", content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...media] };
}

/** The error for messages of which all are empty. */
export function noTextError(): GatewayError {
  return new GatewayError("invalid_request", "messages: there is no text in them to send.", {
    param: "messages",
  });
}

/** Whether a message has neither text nor anything else to send. */
export function isEmptyMessage(message: Message): boolean {
  const calls = message.role === "assistant" && message.toolCalls !== undefined;
  return !calls && message.content.every((part) => part.type === "text" && part.text.trim() === "");
}

/** A message as a paragraph with its role in front; `numberOf` gives the number of an attachment. */
export function formatMessage(message: Message, numberOf: (part: MediaPart) => number): string {
  const text = message.content.map((part) => formatPart(part, numberOf)).join("");
  switch (message.role) {
    case "system":
    case "user":
      return `${message.role}: ${text}`;
    case "assistant": {
      const calls = (message.toolCalls ?? []).map((call) => `[called ${call.name}(${call.arguments})]`);
      return ["assistant:", text, ...calls].filter((line) => line !== "").join(" ");
    }
    case "tool":
      return `tool ${message.name ?? message.toolCallId}: ${text}`;
  }
}

function formatPart(part: Part, numberOf: (part: MediaPart) => number): string {
  if (part.type === "text") return part.text;
  return `[attachment ${numberOf(part)}${part.name ? `: ${part.name}` : ""}]`;
}
