import type { IncomingHttpHeaders } from "node:http";

/**
 * Headers in which clients send the id of one session or chat (clients.md §7 row 44). Not `prompt_cache_key` or `user`:
 * programs use one value for all their conversations.
 */
const sessionHeaders = [
  "x-session-affinity",
  "x-session-id",
  "x-openwebui-chat-id",
  "x-claude-code-session-id",
  // Codex: a session can have several threads, those of its sub-agents.
  "thread-id",
  "session-id",
];

const maxLength = 200;

/** The client's id of the session, if it sends one of a usable length. */
export function sessionAffinity(headers: IncomingHttpHeaders): { affinity?: string } {
  const values = sessionHeaders.map((name) => headers[name]);
  const affinity = values.find(isUsableAffinity);
  return affinity === undefined ? {} : { affinity };
}

/** Whether a value can be the id of a session. */
export function isUsableAffinity(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= maxLength;
}
