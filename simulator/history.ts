import type { Chat, Chats, Message } from "./chats.js";
import { Refusal } from "./errors.js";
import { messageTime } from "./ids.js";
import { field, type JsonObject, list, object, text } from "./json.js";
import type { Person } from "./tokens.js";

/** The calls that read and tidy up chats (kimi-web.md §2.7, §2.10). */
export class History {
  readonly #chats: Chats;
  #cancels = 0;

  constructor(chats: Chats) {
    this.#chats = chats;
  }

  get cancels(): number {
    return this.#cancels;
  }

  getChat(body: JsonObject, { id }: Person): JsonObject {
    const chat = this.#chats.get(required(body, "chat_id"), id);
    const generating = chat.last?.status === "MESSAGE_STATUS_GENERATING";
    return { chat: { ...chatJson(chat), status: generating ? "STATUS_GENERATING" : "STATUS_COMPLETED" } };
  }

  listChats(body: JsonObject, { id }: Person): JsonObject {
    const query = text(body.query) ?? "";
    const chats = this.#chats.of(id).filter((chat) => chat.name.includes(query));
    const { items, next } = page(chats, body);
    return { chats: items.map(chatJson), ...next };
  }

  listMessages(body: JsonObject, { id }: Person): JsonObject {
    const chat = this.#chats.get(required(body, "chat_id"), id);
    const { items, next } = page([...chat.messages.values()].reverse(), body);
    return { messages: items.map(messageJson), ...next };
  }

  /** Echoes the id in snake_case, as one client expects (kimi-web.md §2.10). */
  deleteChat(body: JsonObject, { id }: Person): JsonObject {
    const chatId = required(body, "chat_id");
    this.#chats.delete(chatId, id);
    return { chat_id: chatId };
  }

  batchDeleteChats(body: JsonObject, { id }: Person): JsonObject {
    const ids = list(field(body, "chat_ids"));
    if (ids.length > 100) throw new Refusal({ code: "invalid_argument" }, "too many chat_ids");
    for (const chatId of ids) this.#chats.delete(text(chatId) ?? "", id);
    return {};
  }

  updateChat(body: JsonObject, { id }: Person): JsonObject {
    const given = object(body.chat) ?? {};
    const chat = this.#chats.get(required(given, "id"), id);
    chat.name = (text(given.name) ?? chat.name).slice(0, 1_000);
    chat.updateTime = messageTime(Date.now());
    return { chat: chatJson(chat) };
  }

  /** Stops the answer being given; without a message id, the chat's latest (kimi-web.md §2.7). */
  cancelChat(body: JsonObject, { id }: Person): JsonObject {
    const chat = this.#chats.get(required(body, "chat_id"), id);
    const messageId = text(field(body, "message_id"));
    const message = messageId ? chat.messages.get(messageId) : chat.last;
    if (!message) throw new Refusal({ code: "not_found" }, "message not found in this chat");
    this.#cancels += 1;
    message.stop?.();
    return {};
  }
}

function required(body: JsonObject, name: string): string {
  const value = text(field(body, name));
  if (!value) throw new Refusal({ code: "invalid_argument" }, `${name} is required`);
  return value;
}

/** One page; the token is the place to go on at. */
function page<T>(all: readonly T[], body: JsonObject): { items: readonly T[]; next: JsonObject } {
  const asked = Number(field(body, "page_size") ?? 0);
  const size = Number.isInteger(asked) && asked > 0 ? Math.min(asked, 200) : 50;
  const start = Number(text(field(body, "page_token")) || 0);
  if (!Number.isInteger(start) || start < 0)
    throw new Refusal({ code: "invalid_argument" }, "bad page_token");
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? { nextPageToken: String(end) } : {} };
}

function chatJson(chat: Chat): JsonObject {
  return {
    id: chat.id,
    name: chat.name,
    messageContent: Array.from(chat.last?.text ?? "")
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
