import type { Chat, Chats } from "../chats.js";
import { Refusal } from "../errors.js";
import { type JsonObject, text } from "../json.js";
import type { Person } from "../tokens.js";

/** The calls that make, list, read and delete chats (kimi-web.md §1.3). */
export class LegacyHistory {
  readonly #chats: Chats;

  constructor(chats: Chats) {
    this.#chats = chats;
  }

  create(body: JsonObject, { id }: Person): JsonObject {
    const name = text(body.name);
    if (!name) throw new Refusal({ code: "invalid_argument" }, "name is required");
    const chat = this.#chats.create(id);
    chat.name = name.slice(0, 1_000);
    return { id: chat.id, name: chat.name };
  }

  delete(chatId: string, { id }: Person): void {
    this.#chats.delete(chatId, id);
  }

  /** The latest first. */
  list({ offset, size }: JsonObject, { id }: Person): JsonObject {
    const chats = this.#chats.of(id);
    const start = natural(offset) ?? 0;
    const items = chats.slice(start, start + (natural(size) ?? 50)).map(chatJson);
    return { total: chats.length, items };
  }

  /** The last segments, the oldest of them first. */
  scroll(chatId: string, { last }: JsonObject, { id }: Person): JsonObject {
    const segments = [...this.#chats.get(chatId, id).messages.values()];
    const items = segments.slice(-Math.max(1, natural(last) ?? 50));
    return {
      total: segments.length,
      items: items.map(({ id, role, text }) => ({ id, role, content: text })),
    };
  }
}

function chatJson({ id, name, createTime, updateTime }: Chat): JsonObject {
  return { id, name, created_at: createTime, updated_at: updateTime };
}

/** Numbers come as JSON or, in the older form, as text in the address. */
function natural(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : undefined;
}
