import { chatJson } from "./chat-json.js";
import type { Chats } from "./chats.js";
import { ApiError } from "./errors.js";
import { asString, getField, type JsonObject } from "./json.js";
import { paginate } from "./pages.js";
import type { Account } from "./tokens.js";

const chatResource = "PIN_RESOURCE_TYPE_CHAT";

/** The response to PinResource and UnpinResource (kimi-web.md §2.10). Throws ApiError; only chats can be pinned. */
export function pinChat(chats: Chats, body: JsonObject, { id }: Account, isPinned: boolean): JsonObject {
  if (getField(body, "resource_type") !== chatResource)
    throw new ApiError({ code: "invalid_argument" }, "only chats can be pinned");
  chats.get(asString(getField(body, "resource_id")) ?? "", id).isPinned = isPinned;
  return {};
}

/** The response to ListPinResources (kimi-web.md §2.10). */
export function listPins(chats: Chats, body: JsonObject, { id }: Account): JsonObject {
  const pinned = chats.list(id).filter(({ isPinned }) => isPinned);
  const { items, next } = paginate(pinned, body);
  const resources = items.map((chat) => ({
    resourceType: chatResource,
    resourceId: chat.id,
    chat: chatJson(chat),
  }));
  return { resources, ...next };
}

/** The response to ListFeeds, which ignores `query`; pinned chats only with `include_pinned` (kimi-web.md §2.10). */
export function listFeeds(chats: Chats, body: JsonObject, { id }: Account): JsonObject {
  const withPinned = getField(body, "include_pinned") === true;
  const { items, next } = paginate(
    chats.list(id).filter(({ isPinned }) => withPinned || !isPinned),
    body,
  );
  return { items: items.map((chat) => ({ type: "FEED_TYPE_CHAT", chat: chatJson(chat) })), ...next };
}
