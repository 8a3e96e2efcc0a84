import { Type } from "@sinclair/typebox";
import type { ChatPage, ChatSelection, StoredChat } from "../../core/store.js";
import type { RedisConnection } from "./connection.js";
import {
  detachNodes,
  makeChatsDue,
  postponeChat,
  removeChat,
  saveChat,
} from "./conversations/change-chats.js";
import {
  conversationKeys,
  encodeNumber,
  runConversationScript,
} from "./conversations/conversation-script.js";
import { findChat, listChats, listDueChats } from "./conversations/list-chats.js";
import { encodeChatName } from "./conversations/node-record.js";
import { parseReply } from "./reply.js";

/** Chats that one script reads or changes, so that no other call waits long. */
const batch = 200;
/** The name of the list of all chats; the others are named by an upstream as JSON. */
const allChats = "*";
/** Sorts after every number. */
const afterAll = "~";

/** The chats that Moonbridge created upstream, and when they are due for deletion. */
export class RedisChats {
  readonly #connection: RedisConnection;
  /** Saves without a reply yet, by name. */
  readonly #pendingSaves = new Map<string, Promise<void>>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async save({ upstream, chat, scope, dueAt }: Omit<StoredChat, "attempts">): Promise<void> {
    const name = encodeChatName({ upstream, chat });
    const save = runConversationScript(this.#connection, saveChat, {
      ...{ name, list: listOf(upstream), scope, due_at: Math.round(dueAt) },
    });
    this.#pendingSaves.set(name, save);
    try {
      await save;
    } finally {
      if (this.#pendingSaves.get(name) === save) this.#pendingSaves.delete(name);
    }
  }

  /** Resolves once the last save of this chat has ended: a script that Redis has forgotten is sent again, after others. */
  async settle(name: string): Promise<void> {
    await this.#pendingSaves.get(name)?.catch(() => {});
  }

  async listDue(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]> {
    const found: StoredChat[] = [];
    // Those of other upstreams may be between them.
    const size = Math.min(limit, batch);
    for (let position = 0; found.length < limit; position += size) {
      const values = { upstreams: JSON.stringify(upstreams), now, position, batch: size };
      const { chats, read } = await runConversationScript(this.#connection, listDueChats, values);
      found.push(...chats);
      if (read < size) break;
    }
    return found.slice(0, limit);
  }

  async countDue(now: number): Promise<number> {
    const reply = await this.#connection.send("ZCOUNT", conversationKeys.due, "-inf", String(now));
    return this.#connection.parse((count) => parseReply(Type.Number(), count), reply);
  }

  async list({ upstream, before, limit }: ChatSelection): Promise<ChatPage> {
    const { total, chats } = await runConversationScript(this.#connection, listChats, {
      list: upstream === undefined ? allChats : listOf(upstream),
      before: before === undefined ? afterAll : encodeNumber(before),
      limit: limit + 1,
    });
    const page = chats.slice(0, limit);
    return {
      chats: page.map(({ chat }) => chat),
      total,
      next: chats.length > limit ? page.at(-1)?.number : undefined,
    };
  }

  find(upstream: string, chat: string): Promise<StoredChat | undefined> {
    return runConversationScript(this.#connection, findChat, { name: encodeChatName({ upstream, chat }) });
  }

  async makeDue(upstreams: readonly string[], now: number): Promise<number> {
    let total = 0;
    for (const upstream of new Set(upstreams)) {
      let cursor = "";
      do {
        const list = listOf(upstream);
        const values = { list, cursor, batch, now: Math.round(now) };
        const progress = await runConversationScript(this.#connection, makeChatsDue, values);
        total += progress.changed;
        cursor = progress.cursor;
      } while (cursor !== "");
    }
    return total;
  }

  postpone(upstream: string, chat: string, dueAt: number): Promise<void> {
    const name = encodeChatName({ upstream, chat });
    return runConversationScript(this.#connection, postponeChat, { name, due_at: Math.round(dueAt) });
  }

  /** Removes the chat and makes its nodes tombstones. */
  remove(upstream: string, chat: string, now: number): Promise<void> {
    const name = encodeChatName({ upstream, chat });
    const values = { name, list: listOf(upstream), now: Math.round(now) };
    return runConversationScript(this.#connection, removeChat, values);
  }

  detachNodes(upstream: string, chat: string, now: number): Promise<void> {
    const name = encodeChatName({ upstream, chat });
    return runConversationScript(this.#connection, detachNodes, { name, now: Math.round(now) });
  }
}

function listOf(upstream: string): string {
  return JSON.stringify(upstream);
}
