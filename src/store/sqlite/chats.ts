import { type Static, Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { ChatPage, ChatSelection, StoredChat } from "../../core/store.js";
import { readRow } from "./database-file.js";

const ChatRow = Type.Tuple([Type.String(), Type.String(), Type.String(), Type.Number(), Type.Number()]);
const ListedRow = Type.Tuple([Type.Number(), Type.Number(), ...ChatRow.items]);
const NumberRow = Type.Tuple([Type.Number()]);

const chatColumns = "upstream, chat, scope, due_at, attempts";

/** The chats that Moonbridge created upstream, when they are due for deletion, and their end. */
export class SqliteChats {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
  }

  save({ upstream, chat, scope, dueAt }: Omit<StoredChat, "attempts">): void {
    this.#statements.save.run(upstream, chat, scope, Math.round(dueAt));
  }

  listDue(upstreams: readonly string[], now: number, limit: number): StoredChat[] {
    return this.#statements.listDue.all(now, JSON.stringify(upstreams), limit).map(toStoredChat);
  }

  /** No upstream has an empty name: it stands for all of them. */
  list({ upstream = "", before = Number.MAX_SAFE_INTEGER, limit }: ChatSelection): ChatPage {
    const rows = this.#statements.list.all(before, upstream, limit + 1).map((row) => readRow(ListedRow, row));
    const [total] = readRow(NumberRow, this.#statements.count.get(upstream));
    const page = rows.slice(0, limit);
    return {
      chats: page.map(([, turns, ...chat]) => ({ ...toStoredChat(chat), turns })),
      total,
      next: rows.length > limit ? page.at(-1)?.[0] : undefined,
    };
  }

  find(upstream: string, chat: string): StoredChat | undefined {
    const row = this.#statements.find.get(upstream, chat);
    return row === undefined ? undefined : toStoredChat(row);
  }

  countDue(now: number): number {
    return readRow(NumberRow, this.#statements.countDue.get(now))[0];
  }

  makeDue(upstreams: readonly string[], now: number): number {
    return this.#statements.makeDue.run(Math.round(now), JSON.stringify(upstreams), now, now).changes;
  }

  postpone(upstream: string, chat: string, dueAt: number): void {
    this.#statements.postpone.run(Math.round(dueAt), upstream, chat);
  }

  /** Removes the chat and makes its nodes tombstones. */
  remove(upstream: string, chat: string, now: number): void {
    this.#database
      .transaction(() => {
        this.detachNodes(upstream, chat, now);
        this.#statements.remove.run(upstream, chat);
      })
      .immediate();
  }

  detachNodes(upstream: string, chat: string, now: number): void {
    this.#statements.detach.run(Math.round(now), upstream, chat);
  }
}

function toStoredChat(row: unknown): StoredChat {
  const [upstream, chat, scope, dueAt, attempts]: Static<typeof ChatRow> = readRow(ChatRow, row);
  return { upstream, chat, scope, dueAt, attempts };
}

function prepareStatements(database: Database.Database) {
  const write = (sql: string) => database.prepare(sql);
  const read = (sql: string) => database.prepare(sql).raw();
  return {
    // A chat keeps the scope of its first save; a save with another scope changes nothing.
    save: write(
      `INSERT INTO chats (upstream, chat, scope, due_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET due_at = excluded.due_at, attempts = 0 WHERE scope = excluded.scope`,
    ),
    // The plus keeps SQLite from reading all chats of an upstream instead of those that are due.
    listDue: read(
      `SELECT ${chatColumns} FROM chats WHERE due_at <= ? AND +upstream IN (SELECT value FROM json_each(?))
       ORDER BY due_at, id LIMIT ?`,
    ),
    list: read(
      `SELECT id, (SELECT count(*) FROM nodes WHERE chat_id = chats.id), ${chatColumns} FROM chats
       WHERE id < ?1 AND (?2 = '' OR upstream = ?2) ORDER BY id DESC LIMIT ?3`,
    ),
    count: read("SELECT count(*) FROM chats WHERE ?1 = '' OR upstream = ?1"),
    find: read(`SELECT ${chatColumns} FROM chats WHERE upstream = ? AND chat = ?`),
    countDue: read("SELECT count(*) FROM chats WHERE due_at <= ?"),
    makeDue: write(
      `UPDATE chats SET due_at = ?, attempts = 0
       WHERE upstream IN (SELECT value FROM json_each(?)) AND due_at > ? AND claimed_until <= ?`,
    ),
    postpone: write("UPDATE chats SET due_at = ?, attempts = attempts + 1 WHERE upstream = ? AND chat = ?"),
    detach: write(
      `UPDATE nodes SET chat_id = NULL, ended_at = ?
       WHERE chat_id = (SELECT id FROM chats WHERE upstream = ? AND chat = ?)`,
    ),
    remove: write("DELETE FROM chats WHERE upstream = ? AND chat = ?"),
  };
}
