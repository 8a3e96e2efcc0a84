import type { Message } from "./chats.js";
import { ApiError } from "./errors.js";
import { asObject, asString, type JsonObject } from "./json.js";

/**
 * What becomes of an answer whose connection is lost, which is not known of Kimi (kimi-web.md §4 #10): it stops, or goes on.
 * With the other four it goes on, too, but `ListMessages` and `GetMessage` do not have it, have it with other words, fail, or
 * have the first half of it as if it never ended.
 */
export type AfterCut = "stops" | "goes-on" | "lost" | "differs" | "unreadable" | "half";

/** A message as the unary methods show it with the option `afterCut`; undefined if they do not have it. */
export function messageAfterCut(message: Message, afterCut: AfterCut): Message | undefined {
  if (message.role !== "assistant") return message;
  switch (afterCut) {
    case "stops":
    case "goes-on":
      return message;
    case "lost":
      return undefined;
    case "unreadable":
      throw new ApiError({ code: "unavailable" }, "messages cannot be read now");
    case "differs":
      return withTexts(message, (text) => text.replace(/\p{L}|\d/u, (first) => (first === "x" ? "y" : "x")));
    case "half":
      return {
        ...withTexts(message, (text) => text.slice(0, text.length / 2)),
        status: "MESSAGE_STATUS_GENERATING",
      };
  }
}

function withTexts(message: Message, change: (text: string) => string): Message {
  const changed = (block: JsonObject, name: "text" | "think"): JsonObject => {
    const content = asString(asObject(block[name])?.content);
    return content === undefined ? {} : { [name]: { content: change(content) } };
  };
  const blocks = message.blocks.map((block) => ({
    ...block,
    ...changed(block, "text"),
    ...changed(block, "think"),
  }));
  return { ...message, blocks };
}
