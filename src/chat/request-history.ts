import { limits } from "../core/limits.js";
import { isSystem } from "../core/message-content.js";
import type { ChatRequest, Message } from "../core/types.js";
import { hash } from "../lib/hash.js";
import { TimeSlicer } from "../lib/time-slicing.js";
import { appendToPath, MessageHasher, systemTexts } from "./message-hash.js";
import type { Route } from "./model-router.js";
import { maskClock } from "./system-text.js";

/** A prefix of the history that ends with an answer and is followed by another message. */
export type HistoryEnd = {
  /** Messages in the prefix, system messages included. */
  length: number;
  /** Messages in the prefix without system messages: the first so many of `RequestHistory.messages`. */
  count: number;
  /** The hash of the whole prefix. */
  path: string;
  /** The hash of its last answer. */
  answer: string;
  /** That answer as it stands in the request. */
  message: Message;
};

/**
 * The messages of a request as hashes. Messages are hashed for the principal, so that an answer can be looked up over all
 * its upstreams and models; paths and conversations for one scope of it.
 */
export type RequestHistory = {
  scope: string;
  hasher: MessageHasher;
  /** Without system messages. */
  messages: readonly string[];
  /** The longest prefix first, at most `limits.historyEnds`. */
  ends: readonly HistoryEnd[];
  /** The hash of all messages. */
  path: string;
  /** The hash of the text of each system message, with clock values masked. */
  systemTexts: ReadonlyMap<Message, string>;
  /** Hashes of the conversation and the session that the request names. */
  conversation: string | undefined;
  affinity: string | undefined;
};

/** The scope within which conversations continue. It is also stored with the chats. */
export function conversationScope({ principal }: ChatRequest, { upstream, model }: Route): string {
  const account = upstream.firstName?.() ?? upstream.name;
  return hash(principal.keyName, account, upstream.accountId(), model.conversationScope);
}

export async function hashRequest(
  key: string,
  scope: string,
  { messages, conversation, affinity, principal }: ChatRequest,
): Promise<RequestHistory> {
  const hasher = new MessageHasher(key, principal.keyName);
  const slicer = new TimeSlicer();
  const hashes: string[] = [];
  const ends: HistoryEnd[] = [];
  let path = hasher.value("path", scope);
  for (const [index, message] of messages.entries()) {
    if (isSystem(message)) continue;
    const messageHash = await hasher.message(message);
    hashes.push(messageHash);
    path = appendToPath(path, messageHash);
    // An answer at the very end has no new message behind it.
    if (message.role === "assistant" && index < messages.length - 1) {
      ends.push({ length: index + 1, count: hashes.length, path, answer: messageHash, message });
    }
    const pause = slicer.yieldIfDue();
    if (pause) await pause;
  }
  return {
    scope,
    hasher,
    messages: hashes,
    ends: ends.reverse().slice(0, limits.historyEnds),
    path,
    systemTexts: await hashSystemTexts(hasher, messages),
    conversation: conversation === undefined ? undefined : hashConversation(hasher, scope, conversation),
    affinity: affinity === undefined ? undefined : hasher.value("affinity", affinity),
  };
}

/** The hash of a conversation's id within a scope. */
export function hashConversation(hasher: MessageHasher, scope: string, id: string): string {
  return hasher.value("conversation", `${scope} ${id}`);
}

/** Characters of a system text beyond which it is hashed as it is: masking takes a second for some megabytes. */
const maxMaskedLength = 500_000;

async function hashSystemTexts(
  hasher: MessageHasher,
  messages: readonly Message[],
): Promise<ReadonlyMap<Message, string>> {
  const now = Date.now();
  const slicer = new TimeSlicer();
  const system = messages.filter(isSystem);
  const texts = await systemTexts(system);
  const hashes = new Map<Message, string>();
  for (const [index, message] of system.entries()) {
    const text = texts[index] ?? "";
    const masked = text.length > maxMaskedLength ? text : maskClock(text, now);
    hashes.set(message, await hasher.longValue("system", masked));
    const pause = slicer.yieldIfDue();
    if (pause) await pause;
  }
  return hashes;
}

/** A hash of all system texts in these messages, exact; an empty string if there are none. */
export async function hashExactSystem(hasher: MessageHasher, messages: readonly Message[]): Promise<string> {
  const texts = await systemTexts(messages);
  return texts.length === 0 ? "" : hasher.longValue("exact system", JSON.stringify(texts));
}
