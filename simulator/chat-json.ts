import type { Chat, Message } from "./chats.js";
import { asArray, asObject, type JsonObject } from "./json.js";
import { externalContents } from "./search.js";

/** A chat as the unary methods return it (kimi-web.md §2.10). */
export function chatJson(chat: Chat): JsonObject {
  return {
    id: chat.id,
    name: chat.name,
    messageContent: Array.from(chat.latestMessage?.text ?? "")
      .slice(0, 100)
      .join(""),
    createTime: chat.createTime,
    updateTime: chat.updateTime,
    ...(chat.files.length > 0 ? { files: chat.files } : {}),
    ...(chat.lastRequest ? { lastRequest: chat.lastRequest } : {}),
  };
}

/** A message with all of its content (kimi-web.md §2.5). */
export function messageJson(message: Message): JsonObject {
  return {
    id: message.id,
    parentId: message.parentId,
    ...(message.children.length > 0 ? { childrenMessageIds: message.children } : {}),
    role: message.role,
    status: message.status,
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.refs ? { refs: message.refs } : {}),
    scenario: message.scenario,
    createTime: message.createTime,
    isGoal: false,
  };
}

/** A message in a list: without the contents of its tool blocks and search results (kimi-web.md §6 row 16). */
export function listedMessageJson(message: Message): JsonObject {
  const blocks = message.blocks.map(withoutContents);
  return messageJson({ ...message, blocks, refs: message.refs && withoutBases(message.refs) });
}

function withoutContents(block: JsonObject): JsonObject {
  const tool = asObject(block.tool);
  if (!tool) return block;
  const { contents, ...rest } = tool;
  return { ...block, tool: { ...rest, ...externalContents(asArray(contents).length) } };
}

function withoutBases({ searchChunks }: JsonObject): JsonObject {
  return {
    searchChunks: asArray(searchChunks).map((chunk) => {
      const { base: _, ...rest } = asObject(chunk) ?? {};
      return rest;
    }),
  };
}
