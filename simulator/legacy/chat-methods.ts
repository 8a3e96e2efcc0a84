import type { Chat, Chats } from "../chats.js";
import { ApiError } from "../errors.js";
import { asString, type JsonObject } from "../json.js";
import type { Account } from "../tokens.js";

/**
 * The calls that create, list, read and delete chats (kimi-web.md §1.3). Each takes the JSON of the request and returns
 * that of the response. They throw ApiError, `not_found` for a chat of another account.
 */
export class LegacyChatMethods {
  readonly #chats: Chats;

  constructor(chats: Chats) {
    this.#chats = chats;
  }

  create(body: JsonObject, { id }: Account): JsonObject {
    const name = asString(body.name);
    if (!name) throw new ApiError({ code: "invalid_argument" }, "name is required");
    const chat = this.#chats.create(id);
    chat.name = name.slice(0, 1_000);
    return { id: chat.id, name: chat.name };
  }

  delete(chatId: string, { id }: Account): void {
    this.#chats.delete(chatId, id);
  }

  /** One page of chats, latest update first. */
  list({ offset, size }: JsonObject, { id }: Account): JsonObject {
    const chats = this.#chats.list(id);
    const start = parseNaturalNumber(offset) ?? 0;
    const items = chats.slice(start, start + (parseNaturalNumber(size) ?? 50)).map(chatJson);
    return { total: chats.length, items };
  }

  /** The last messages of a chat, oldest first. */
  scroll(chatId: string, { last }: JsonObject, { id }: Account): JsonObject {
    const segments = [...this.#chats.get(chatId, id).messages.values()];
    const items = segments.slice(-Math.max(1, parseNaturalNumber(last) ?? 50));
    return {
      total: segments.length,
      items: items.map(({ id, role, text }) => ({ id, role, content: text })),
    };
  }
}

function chatJson({ id, name, createTime, updateTime }: Chat): JsonObject {
  return { id, name, created_at: createTime, updated_at: updateTime };
}

/** A natural number, as a JSON number or the text of a query parameter; undefined for any other value. */
function parseNaturalNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : undefined;
}
