import type { Chat, Message, NewTurn } from "./chats.js";
import { toolTypeName } from "./enums.js";
import { ApiError } from "./errors.js";
import { asArray, asObject, asString, getField, type JsonObject } from "./json.js";

/**
 * What Kimi is not proven to do for every account (kimi-web.md §4, §6); each name takes one away. By default the simulator
 * does all of it.
 */
export const capabilityNames = [
  /** A message after an older answer goes to the end of the chat, and the echo says so. */
  "old-parent",
  /** A message after an older answer is refused. */
  "old-parent-accepted",
  /** A message after a cancelled answer is refused. */
  "cancelled-parent",
  /** A message that names a chat and no parent is refused. */
  "chat-without-parent",
  /** The echo of a message has single spaces only. */
  "echo-text",
  /** The model calls no functions that it is told of, without thinking and with it. */
  "tool-calls",
  "tool-calls-thinking",
  /** A tool of the type DEVICE_TOOL is refused. */
  "declared-tools",
  /** `options.systemPrompt` has no effect. */
  "system-prompt",
  /** A refresh token is refused as soon as it was used once. */
  "old-refresh-token",
  /** A prompt of more than 440,000 characters is refused; otherwise of more than 513,000 (kimi-web.md §6 row 8). */
  "long-prompt",
  /** The calls of the legacy protocol are unknown. */
  "legacy-endpoints",
  /** GetToolBlock and GetSearchCitation are unknown. */
  "tool-blocks",
] as const;

export type Capability = (typeof capabilityNames)[number];

export function isCapability(name: string): name is Capability {
  return capabilityNames.some((known) => known === name);
}

type Missing = ReadonlySet<Capability>;

/** The turn as Kimi takes it without these capabilities. Throws ApiError where it is refused. */
export function placeTurn(turn: NewTurn, chat: Chat | undefined, missing: Missing): NewTurn {
  const newest = chat?.latestMessage;
  if (!chat || !newest) return turn;
  if (turn.parentId === undefined) {
    if (missing.has("chat-without-parent") && turn.messageId === undefined)
      throw refused("a parent is missing");
    return turn;
  }
  const parent = chat.messages.get(turn.parentId);
  if (missing.has("cancelled-parent") && parent?.status === "MESSAGE_STATUS_CANCELLED")
    throw refused("the parent was cancelled");
  if (!isOldAnswer(parent, newest)) return turn;
  if (missing.has("old-parent-accepted")) throw refused("the parent is not the newest message");
  return missing.has("old-parent") ? { ...turn, parentId: newest.id } : turn;
}

function isOldAnswer(parent: Message | undefined, newest: Message): boolean {
  return parent?.role === "assistant" && parent.id !== newest.id;
}

/** Throws ApiError for a request whose form needs a capability that is missing. */
export function refuseForm(body: JsonObject, missing: Missing): void {
  const types = asArray(body.tools).map((tool) => toolTypeName(asObject(tool)?.type));
  if (missing.has("declared-tools") && types.includes("TOOL_TYPE_DEVICE_TOOL")) throw refused("no such tool");
}

/** Whether the model knows what to do with functions of the prompt. */
export function callsFunctions({ options }: JsonObject, missing: Missing): boolean {
  const thinks = asObject(options)?.thinking === true;
  return !missing.has(thinks ? "tool-calls-thinking" : "tool-calls");
}

/** The word that `options.systemPrompt` demands, as `the word “…”`; undefined if none does. */
export function demandedWord({ options }: JsonObject, missing: Missing): string | undefined {
  if (missing.has("system-prompt")) return undefined;
  const prompt = asString(getField(asObject(options), "system_prompt")) ?? "";
  return /the word “([^”]{1,80})”/.exec(prompt)?.[1];
}

/** The blocks of a message as the echo has them without `echo-text`. */
export function withSingleSpaces(blocks: readonly JsonObject[]): JsonObject[] {
  return blocks.map((block) => {
    const content = asString(asObject(block.text)?.content);
    return content === undefined
      ? block
      : { ...block, text: { content: content.replace(/\s+/g, " ").trim() } };
  });
}

function refused(message: string): ApiError {
  return new ApiError({ code: "invalid_argument" }, message);
}
