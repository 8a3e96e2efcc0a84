import { GatewayError } from "../core/errors.js";
import type { MediaPart, Message, Part } from "../core/types.js";

/**
 * Merges a whole history into the one user message that an upstream with its own memory takes. A lone user message
 * stays as it is; everything else becomes lines with the role in front. Pictures and files follow the text, which
 * names the places where they stood; nothing that says something is left out. Throws `invalid_request` where there is nothing to send.
 */
export function transcript(messages: readonly Message[]): Message {
  const said = messages.filter((message) => !isEmpty(message));
  if (said.length === 0) {
    throw new GatewayError("invalid_request", "messages: there is no text in them to send.", {
      param: "messages",
    });
  }
  const media: MediaPart[] = [];
  const only = said.length === 1 ? said[0] : undefined;
  const text =
    only?.role === "user"
      ? only.content.map((part) => (part.type === "text" ? part.text : "")).join("")
      : said.map((message) => section(message, media)).join("\n\n");
  if (only?.role === "user") media.push(...only.content.filter((part) => part.type !== "text"));
  return { role: "user", content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...media] };
}

function isEmpty(message: Message): boolean {
  const calls = message.role === "assistant" && message.toolCalls !== undefined;
  return !calls && message.content.every((part) => part.type === "text" && part.text.trim() === "");
}

function section(message: Message, media: MediaPart[]): string {
  const said = message.content.map((part) => spoken(part, media)).join("");
  switch (message.role) {
    case "system":
    case "user":
      return `${message.role}: ${said}`;
    case "assistant": {
      const calls = (message.toolCalls ?? []).map((call) => `[called ${call.name}(${call.arguments})]`);
      return ["assistant:", said, ...calls].filter((line) => line !== "").join(" ");
    }
    case "tool":
      return `tool ${message.name ?? message.toolCallId}: ${said}`;
  }
}

function spoken(part: Part, media: MediaPart[]): string {
  if (part.type === "text") return part.text;
  media.push(part);
  return `[attachment ${media.length}${part.name ? `: ${part.name}` : ""}]`;
}
