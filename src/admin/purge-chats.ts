import type { ChatCleanup } from "../chat/chat-cleanup.js";
import type { ConversationStore } from "../core/store.js";

/** `remaining`: chats that are left, because a turn uses them, or Kimi could not be asked or refused. */
export type PurgeResult = { deleted: number; remaining: number };

type PurgeStore = Pick<ConversationStore, "countDueChats" | "makeChatsDue">;

/** The chats at Kimi that Moonbridge has created and not deleted yet. */
export function countChats(store: PurgeStore): Promise<number> {
  return store.countDueChats(Number.MAX_SAFE_INTEGER);
}

/** Deletes all chats that Moonbridge has created on these upstreams, and only those. What fails is tried again later by itself. */
export async function purgeChats(
  upstreams: readonly string[],
  { store, cleanup }: { store: PurgeStore; cleanup: ChatCleanup },
): Promise<PurgeResult> {
  const before = await countChats(store);
  await store.makeChatsDue(upstreams, Date.now());
  cleanup.sweep();
  await cleanup.settle();
  const remaining = await countChats(store);
  return { deleted: Math.max(0, before - remaining), remaining };
}
