import type { Conversation } from "./conversation.js";

const storageKey = "moonbridge.conversations";
const largestCount = 50;

/** The conversations of this browser, the newest first. Nothing of them is kept by Moonbridge. */
export function loadConversations(): Conversation[] {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(storageKey) ?? "[]");
    return Array.isArray(saved) ? saved.filter(isConversation) : [];
  } catch {
    return [];
  }
}

/** Saves the newest conversations; the oldest are left out while the browser has no room for all. */
export function saveConversations(conversations: readonly Conversation[]): void {
  for (let count = Math.min(conversations.length, largestCount); count >= 0; count--) {
    try {
      localStorage.setItem(storageKey, JSON.stringify(conversations.slice(0, count)));
      return;
    } catch {
      // The browser's space is used up (QuotaExceededError).
    }
  }
}

function isConversation(value: unknown): value is Conversation {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    typeof value.id === "string" &&
    "title" in value &&
    typeof value.title === "string" &&
    "messages" in value &&
    Array.isArray(value.messages)
  );
}
