import type { Chat, Message } from "./chats.js";
import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";

/** The JSON of each event, key for key in the order of the captures (kimi-web.md §2.5, §5). */

export const firstHeartbeat = '{"heartbeat":{}}';

export function heartbeat(offset: number): string {
  return `{"eventOffset":${offset},"heartbeat":{}}`;
}

export function done(offset: number): string {
  return `{"eventOffset":${offset},"done":{}}`;
}

/** Any event with a container; without a mask the whole object is meant. */
export function event(
  op: "set" | "append",
  mask: string | undefined,
  offset: number,
  container: JsonObject,
): string {
  return JSON.stringify({ op, mask, eventOffset: offset, ...container });
}

export function newChat(offset: number, chat: Chat): string {
  const { id, name, createTime } = chat;
  return event("set", "chat", offset, { chat: { id, name, createTime } });
}

export function lastRequest(offset: number, chat: Chat): string {
  return event("set", "chat.lastRequest", offset, { chat: { id: chat.id, lastRequest: chat.lastRequest } });
}

/** A message as it enters the stream: the user's echo with blocks, the assistant's still without. */
export function newMessage(offset: number, message: Message): string {
  const { id, parentId, role, status, blocks, scenario, createTime } = message;
  const content = blocks.length > 0 ? { blocks } : {};
  return event("set", "message", offset, {
    message: { id, parentId, role, status, ...content, scenario, createTime, isGoal: false },
  });
}

/** The block that holds a thought: the list of its stages, or the stage itself. */
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

/** The hot one, so it is put together by hand. */
export function appendDelta(
  kind: "think" | "text",
  offset: number,
  id: string,
  parentId: string,
  delta: string,
): string {
  return `{"op":"append","mask":"block.${kind}.content","eventOffset":${offset},"block":{"id":"${id}","parentId":"${parentId}","${kind}":{"content":${JSON.stringify(delta)}}}}`;
}

/** A text or think block with its first delta; these carry a time but no message id. */
export function openBlock(kind: "think" | "text", id: string, parentId: string, content: string): JsonObject {
  return { id, parentId, [kind]: { content }, createTime: blockTime() };
}
