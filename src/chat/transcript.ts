import { ChatError } from "./errors.js";
import type { Message, Part, TextPart } from "./types.js";

/**
 * Merges a whole history into the one user message that an upstream with its own memory takes. A lone user message
 * stays as it is; everything else becomes lines with the role in front, and nothing is left out. Throws
 * `invalid_request` where there is nothing to send or something that cannot be.
 */
export function transcript(messages: readonly Message[]): Message {
  if (messages.every(isEmpty)) {
    throw new ChatError("invalid_request", "messages: there is no text in them to send.", {
      param: "messages",
    });
  }
  const only = messages.length === 1 ? messages[0] : undefined;
  if (only?.role === "user") return { role: "user", content: textParts(only, 0) };
  const text = messages.map((message, index) => section(message, index)).join("\n\n");
  return { role: "user", content: [{ type: "text", text }] };
}

function isEmpty(message: Message): boolean {
  const calls = message.role === "assistant" && message.toolCalls !== undefined;
  return !calls && message.content.every((part) => part.type === "text" && part.text.trim() === "");
}

function section(message: Message, index: number): string {
  const said = textParts(message, index)
    .map((part) => part.text)
    .join("");
  switch (message.role) {
    case "system":
    case "user":
      return `${message.role}: ${said}`;
    case "assistant":
      return [
        "assistant:",
        said,
        ...(message.toolCalls ?? []).map((call) => `[called ${call.name}(${call.arguments})]`),
      ]
        .filter((line) => line !== "")
        .join(" ");
    case "tool":
      return `tool ${message.name ?? message.toolCallId}: ${said}`;
  }
}

function textParts(message: Message, index: number): TextPart[] {
  return message.content.map((part, at) => textPart(part, `messages[${index}].content[${at}]`));
}

function textPart(part: Part, param: string): TextPart {
  if (part.type === "text") return part;
  const what = part.type === "image" ? "pictures" : "files";
  throw new ChatError(
    "invalid_request",
    `${param}: this model takes no ${what} yet. Send its text instead.`,
    { param },
  );
}
