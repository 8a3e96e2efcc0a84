import type { Chat, Message } from "./chats.js";
import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";

// Functions ending in `Event` return the JSON of one event, those ending in `Block` a block for an event. Keys have the
// order of the captures (kimi-web.md §2.5, §5). `offset` is the event's `eventOffset`.

/** The heartbeat that opens a stream; it has no offset. */
export const firstHeartbeatEvent = '{"heartbeat":{}}';

export function heartbeatEvent(offset: number): string {
  return `{"eventOffset":${offset},"heartbeat":{}}`;
}

export function doneEvent(offset: number): string {
  return `{"eventOffset":${offset},"done":{}}`;
}

/**
 * An event that sets `container`, `{ chat }`, `{ message }`, `{ block }` or `{ notification }`, or appends to it. `mask`
 * names the fields; without a mask the event concerns the whole object.
 */
export function containerEvent(
  op: "set" | "append",
  mask: string | undefined,
  offset: number,
  container: JsonObject,
): string {
  return JSON.stringify({ op, mask, eventOffset: offset, ...container });
}

export function newChatEvent(offset: number, chat: Chat): string {
  const { id, name, createTime } = chat;
  return containerEvent("set", "chat", offset, { chat: { id, name, createTime } });
}

export function lastRequestEvent(offset: number, chat: Chat): string {
  return containerEvent("set", "chat.lastRequest", offset, {
    chat: { id: chat.id, lastRequest: chat.lastRequest },
  });
}

/** A message: the echo of the user message has blocks; those of the other roles are still empty. */
export function newMessageEvent(offset: number, message: Message): string {
  const { id, parentId, role, status, blocks, scenario, createTime } = message;
  const content = blocks.length > 0 ? { blocks } : {};
  return containerEvent("set", "message", offset, {
    message: { id, parentId, role, status, ...content, scenario, createTime, isGoal: false },
  });
}

/** A parent block of thinking: the list of stages (`multiStage`) or one stage (`stage`). */
export function stageBlock(
  kind: "multiStage" | "stage",
  block: { id: string; parentId: string; messageId: string; createTime: string },
  status: "START" | "END",
): JsonObject {
  const { id, parentId, messageId, createTime } = block;
  const stage = { name: "STAGE_NAME_THINKING", createTime, status: `STAGE_STATUS_${status}` };
  const content = kind === "multiStage" ? { multiStage: { stages: [stage] } } : { stage };
  return { id, parentId, messageId, ...content, createTime };
}

/** A delta appended to the block `id`. The most frequent event, so the JSON is concatenated instead of stringified. */
export function appendDeltaEvent(
  kind: "think" | "text",
  offset: number,
  id: string,
  parentId: string,
  delta: string,
): string {
  return `{"op":"append","mask":"block.${kind}.content","eventOffset":${offset},"block":{"id":"${id}","parentId":"${parentId}","${kind}":{"content":${JSON.stringify(delta)}}}}`;
}

/** A text or think block with its first delta; such blocks have a time but no message id. */
export function newBlock(kind: "think" | "text", id: string, parentId: string, content: string): JsonObject {
  return { id, parentId, [kind]: { content }, createTime: blockTime() };
}
