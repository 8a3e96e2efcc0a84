import type { Chat, Chats, Message } from "./chats.js";
import { ApiError } from "./errors.js";
import { messageTime } from "./ids.js";
import { asArray, asObject, asString, getField, type JsonObject } from "./json.js";
import type { Account } from "./tokens.js";

/**
 * The unary methods of ChatService, which read, rename, delete and cancel chats (kimi-web.md §2.7, §2.10). Each takes the
 * JSON of the request and returns that of the response. They throw ApiError, `not_found` for a chat of another account.
 */
export class ChatMethods {
  readonly #chats: Chats;
  readonly #cancelMilliseconds: number;
  #cancelCount = 0;

  /** `cancelMilliseconds`: how long a cancelled answer occupies its chat. */
  constructor(chats: Chats, cancelMilliseconds: number) {
    this.#chats = chats;
    this.#cancelMilliseconds = cancelMilliseconds;
  }

  /** Number of accepted CancelChat calls. */
  get cancelCount(): number {
    return this.#cancelCount;
  }

  getChat(body: JsonObject, { id }: Account): JsonObject {
    const chat = this.#chats.get(requireText(body, "chat_id"), id);
    const generating = chat.latestMessage?.status === "MESSAGE_STATUS_GENERATING";
    return { chat: { ...chatJson(chat), status: generating ? "STATUS_GENERATING" : "STATUS_COMPLETED" } };
  }

  listChats(body: JsonObject, { id }: Account): JsonObject {
    const query = asString(body.query) ?? "";
    const chats = this.#chats.list(id).filter((chat) => chat.name.includes(query));
    const { items, next } = paginate(chats, body);
    return { chats: items.map(chatJson), ...next };
  }

  listMessages(body: JsonObject, { id }: Account): JsonObject {
    const chat = this.#chats.get(requireText(body, "chat_id"), id);
    const { items, next } = paginate([...chat.messages.values()].reverse(), body);
    return { messages: items.map(messageJson), ...next };
  }

  /** The tool block of a search, with its results (kimi-web.md §6 #16). */
  getToolBlock(body: JsonObject, { id }: Account): JsonObject {
    const chat = this.#chats.get(requireText(body, "chat_id"), id);
    const toolCallId = requireText(body, "tool_call_id");
    const searches = [...chat.messages.values()].flatMap((message) => message.searches);
    const search = searches.find((each) => each.toolCallId === toolCallId);
    if (!search) throw new ApiError({ code: "not_found" }, "tool block not found in this chat");
    const contents = search.chunks.map((searchResult) => ({ searchResult }));
    return { block: { tool: { toolCallId, name: "web_search", contents } } };
  }

  /** The page of a search result (kimi-web.md §6 #16). */
  getSearchCitation(body: JsonObject, { id }: Account): JsonObject {
    const chat = this.#chats.get(requireText(body, "chat_id"), id);
    const message = chat.messages.get(requireText(body, "message_id"));
    const refIndex = requireText(body, "ref_index");
    const chunks = message?.searches.flatMap((search) => search.chunks) ?? [];
    const chunk = chunks.find((each) => each.refIndex === refIndex);
    if (!chunk) throw new ApiError({ code: "not_found" }, "search result not found in this message");
    return { base: chunk.base };
  }

  /** Echoes the id in snake_case, which one client expects (kimi-web.md §2.10). */
  deleteChat(body: JsonObject, { id }: Account): JsonObject {
    const chatId = requireText(body, "chat_id");
    this.#chats.delete(chatId, id);
    return { chat_id: chatId };
  }

  batchDeleteChats(body: JsonObject, { id }: Account): JsonObject {
    const ids = asArray(getField(body, "chat_ids"));
    if (ids.length > 100) throw new ApiError({ code: "invalid_argument" }, "too many chat_ids");
    for (const chatId of ids) this.#chats.delete(asString(chatId) ?? "", id);
    return {};
  }

  updateChat(body: JsonObject, { id }: Account): JsonObject {
    const changes = asObject(body.chat) ?? {};
    const chat = this.#chats.get(requireText(changes, "id"), id);
    chat.name = (asString(changes.name) ?? chat.name).slice(0, 1_000);
    chat.updateTime = messageTime(Date.now());
    return { chat: chatJson(chat) };
  }

  /** Cancels the answer with `message_id`, or else the chat's latest (kimi-web.md §2.7). */
  cancelChat(body: JsonObject, { id }: Account): JsonObject {
    const chat = this.#chats.get(requireText(body, "chat_id"), id);
    const messageId = asString(getField(body, "message_id"));
    const message = messageId ? chat.messages.get(messageId) : chat.latestMessage;
    if (!message) throw new ApiError({ code: "not_found" }, "message not found in this chat");
    this.#cancelCount += 1;
    chat.busyUntil = Date.now() + this.#cancelMilliseconds;
    message.stop?.();
    return {};
  }
}

function requireText(body: JsonObject, name: string): string {
  const value = asString(getField(body, name));
  if (!value) throw new ApiError({ code: "invalid_argument" }, `${name} is required`);
  return value;
}

/** One page of 50 items, or `page_size` up to 200; the page token is the index of the next item. */
function paginate<T>(items: readonly T[], body: JsonObject): { items: readonly T[]; next: JsonObject } {
  const pageSize = Number(getField(body, "page_size") ?? 0);
  const limit = Number.isInteger(pageSize) && pageSize > 0 ? Math.min(pageSize, 200) : 50;
  const start = Number(asString(getField(body, "page_token")) || 0);
  if (!Number.isInteger(start) || start < 0)
    throw new ApiError({ code: "invalid_argument" }, "bad page_token");
  const end = start + limit;
  return { items: items.slice(start, end), next: end < items.length ? { nextPageToken: String(end) } : {} };
}

function chatJson(chat: Chat): JsonObject {
  return {
    id: chat.id,
    name: chat.name,
    messageContent: Array.from(chat.latestMessage?.text ?? "")
      .slice(0, 100)
      .join(""),
    createTime: chat.createTime,
    updateTime: chat.updateTime,
    ...(chat.lastRequest ? { lastRequest: chat.lastRequest } : {}),
  };
}

function messageJson(message: Message): JsonObject {
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
