import { chatJson, listedMessageJson, messageJson } from "./chat-json.js";
import type { Chat, Chats, Message } from "./chats.js";
import { ApiError } from "./errors.js";
import { isLegacyId, messageTime } from "./ids.js";
import { asArray, asObject, asString, getField, type JsonObject } from "./json.js";
import { type AfterCut, messageAfterCut } from "./message-after-cut.js";
import { paginate } from "./pages.js";
import type { Account } from "./tokens.js";

/**
 * The unary methods of ChatService, which read, rename, delete and cancel chats (kimi-web.md §2.7, §2.10). Each takes the
 * JSON of the request and returns that of the response. They throw ApiError, `not_found` for a chat of another account.
 */
export class ChatMethods {
  readonly #chats: Chats;
  readonly #legacyChats: Chats;
  readonly #cancelMilliseconds: number;
  readonly #afterCut: AfterCut;
  #cancelCount = 0;

  /**
   * `legacyChats` are those that the legacy protocol made: this one continues, reads and cancels them, but does not list or
   * delete them (kimi-web.md §4, §6 row 7). `cancelMilliseconds`: how long a cancelled answer occupies its chat.
   * `afterCut`: how answers are shown.
   */
  constructor(
    chats: Chats,
    legacyChats: Chats,
    { cancelMilliseconds, afterCut }: { cancelMilliseconds: number; afterCut: AfterCut },
  ) {
    this.#chats = chats;
    this.#legacyChats = legacyChats;
    this.#cancelMilliseconds = cancelMilliseconds;
    this.#afterCut = afterCut;
  }

  /** Number of accepted CancelChat calls. */
  get cancelCount(): number {
    return this.#cancelCount;
  }

  /** Also after a cancel the status is COMPLETED (kimi-web.md §2.7, §6). */
  getChat(body: JsonObject, account: Account): JsonObject {
    const chat = this.#find(body, account);
    const status =
      chat.latestMessage?.status === "MESSAGE_STATUS_GENERATING"
        ? { status: "STATUS_GENERATING", statusText: "Working" }
        : { status: "STATUS_COMPLETED", statusText: "Completed" };
    return { chat: { ...chatJson(chat), ...status } };
  }

  /** Pinned chats come with `include_pinned` only, all of them with the first page (kimi-web.md §6 row 16). */
  listChats(body: JsonObject, { id }: Account): JsonObject {
    const query = asString(body.query) ?? "";
    const chats = this.#chats.list(id).filter((chat) => chat.name.includes(query));
    const pinned = chats.filter(({ isPinned }) => isPinned);
    const { items, next } = paginate(
      chats.filter(({ isPinned }) => !isPinned),
      body,
    );
    const withPinned =
      getField(body, "include_pinned") === true && !getField(body, "page_token") && pinned.length > 0;
    return {
      chats: items.map(chatJson),
      ...(withPinned ? { pinnedChats: pinned.map(chatJson) } : {}),
      ...next,
    };
  }

  /**
   * Newest first, so the empty system message of a chat comes last (kimi-web.md §6 row 15). The results of tools are left
   * out (kimi-web.md §6 row 16).
   */
  listMessages(body: JsonObject, account: Account): JsonObject {
    const messages = [...this.#find(body, account).messages.values()].reverse();
    const { items, next } = paginate(
      messages.flatMap((message) => messageAfterCut(message, this.#afterCut) ?? []),
      body,
    );
    return { messages: items.map(listedMessageJson), ...next };
  }

  getMessage(body: JsonObject, account: Account): JsonObject {
    const message = this.#findMessage(this.#find(body, account), body);
    const shown = messageAfterCut(message, this.#afterCut);
    if (!shown) throw new ApiError({ code: "not_found" }, "message not found in this chat");
    return { message: messageJson(shown) };
  }

  /** A tool block with the contents that ListMessages leaves out, by `tool_call_id` (kimi-web.md §6 row 16). */
  getToolBlock(body: JsonObject, account: Account): JsonObject {
    const toolCallId = requireText(body, "tool_call_id");
    const chat = this.#find(body, account);
    for (const message of [...chat.messages.values()].reverse()) {
      const block = message.blocks.find(({ tool }) => asObject(tool)?.toolCallId === toolCallId);
      if (block) return { block };
    }
    throw new ApiError({ code: "not_found" }, "tool block not found in this chat");
  }

  /** A search result with the content that ListMessages leaves out, by `ref_index` (kimi-web.md §6 row 16). */
  getSearchCitation(body: JsonObject, account: Account): JsonObject {
    const refIndex = requireText(body, "ref_index");
    const { refs } = this.#findMessage(this.#find(body, account), body);
    const searchChunk = asArray(refs?.searchChunks).find((chunk) => asObject(chunk)?.refIndex === refIndex);
    if (!searchChunk) throw new ApiError({ code: "not_found" }, "search result not found in this message");
    return { searchChunk };
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
  cancelChat(body: JsonObject, account: Account): JsonObject {
    const chat = this.#find(body, account);
    const message = this.#findMessage(chat, body);
    this.#cancelCount += 1;
    // A client may close the stream first, which stops the answer, too.
    if (message.stop || message.status === "MESSAGE_STATUS_CANCELLED")
      chat.busyUntil = Date.now() + this.#cancelMilliseconds;
    message.stop?.();
    return {};
  }

  /** The answer with `message_id`, or else the latest of the chat, for ResumeChat. */
  findAnswer(body: JsonObject, account: Account): { chat: Chat; message: Message } {
    const chat = this.#find(body, account);
    return { chat, message: this.#findMessage(chat, body) };
  }

  /** The chat with `chat_id`, made over either protocol. */
  #find(body: JsonObject, { id }: Account): Chat {
    const chatId = requireText(body, "chat_id");
    return (isLegacyId(chatId) ? this.#legacyChats : this.#chats).get(chatId, id);
  }

  /** The message with `message_id`, or else the latest answer. */
  #findMessage(chat: Chat, body: JsonObject): Message {
    const messageId = asString(getField(body, "message_id"));
    const message = messageId ? chat.messages.get(messageId) : chat.latestMessage;
    if (!message) throw new ApiError({ code: "not_found" }, "message not found in this chat");
    return message;
  }
}

function requireText(body: JsonObject, name: string): string {
  const value = asString(getField(body, name));
  if (!value) throw new ApiError({ code: "invalid_argument" }, `${name} is required`);
  return value;
}
