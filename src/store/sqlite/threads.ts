import { setImmediate } from "node:timers/promises";
import { type Static, Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { StoredChat, StoredThread, TakenThread } from "../../core/store.js";
import { readRow } from "./database-file.js";

const ChatRow = Type.Tuple([Type.String(), Type.String(), Type.String(), Type.Number(), Type.Number()]);
const threadRow = [Type.String(), Type.String(), Type.String(), Type.String(), Type.String()] as const;
const ThreadRow = Type.Tuple([...threadRow]);
const TakenRow = Type.Tuple([...threadRow, Type.Number()]);
const NumberRow = Type.Tuple([Type.Number()]);
const MaybeNumberRow = Type.Tuple([Type.Union([Type.Number(), Type.Null()])]);

/** Threads that are trimmed in one go, so that no request waits long. */
const trimmedAtOnce = 100;

const chatColumns = "upstream, chat, scope, due_at, attempts";
const threadColumns = "t.key, c.upstream, c.chat, t.parent, t.system";
const itsChat = (column: string) => `(SELECT ${column} FROM chats WHERE id = chat_id)`;
const takenColumns = `key, ${itsChat("upstream")}, ${itsChat("chat")}, parent, system, seq`;

/** The tables of chats and threads. Every look-up goes by an index: it costs the same among a million threads. */
export class SqliteThreads {
  readonly #run: ReturnType<typeof prepare>;

  constructor(database: Database.Database) {
    this.#run = prepare(database);
  }

  saveChat({ upstream, chat, scope, dueAt }: Omit<StoredChat, "attempts">): void {
    this.#run.saveChat.run(upstream, chat, scope, Math.round(dueAt));
  }

  chat(upstream: string, chat: string, scope: string, now: number): StoredChat | undefined {
    const row = this.#run.chat.get(upstream, chat, scope, now);
    return row === undefined ? undefined : toChat(row);
  }

  /** A chat that is not known, or no longer, has no threads. */
  saveThread(keys: readonly string[], { upstream, chat, parent, system }: StoredThread): void {
    this.#run.saveThread.run(JSON.stringify(keys), parent, system, upstream, chat);
  }

  /** Nearly always it is the first key, which is cheapest on its own; the others are asked for together. */
  findThread(keys: readonly string[], now: number): { key: string; thread: StoredThread } | undefined {
    const [first, ...others] = keys;
    if (first === undefined) return undefined;
    let row = this.#run.threadOf.get(first, now);
    if (row === undefined && others.length > 0) row = this.#run.firstThread.get(JSON.stringify(others), now);
    return row === undefined ? undefined : toThread(row);
  }

  latestThread(upstream: string, chat: string): StoredThread | undefined {
    const row = this.#run.latestThread.get(upstream, chat);
    return row === undefined ? undefined : toThread(row).thread;
  }

  takeThread(keys: readonly string[], now: number): TakenThread | undefined {
    const rows = taken(this.#run.takeThread.all(JSON.stringify(keys), now));
    const key = keys.find((wanted) => rows.some((row) => row.key === wanted));
    const thread = rows.find((row) => row.key === key)?.thread;
    return thread && { keys: rows.map((row) => row.key), thread };
  }

  takeLatestThread(upstream: string, chat: string): TakenThread | undefined {
    const rows = taken(this.#run.takeLatestThread.all(upstream, chat));
    const thread = rows.at(-1)?.thread;
    return thread && { keys: rows.map((row) => row.key), thread };
  }

  forgetThreads(upstream: string, chat: string): void {
    this.#run.forgetThreads.run(upstream, chat);
  }

  dueChats(upstreams: readonly string[], now: number, limit: number): StoredChat[] {
    return this.#run.dueChats.all(now, JSON.stringify(upstreams), limit).map(toChat);
  }

  countDueChats(now: number): number {
    return readRow(NumberRow, this.#run.countDueChats.get(now))[0];
  }

  postponeChat(upstream: string, chat: string, dueAt: number): void {
    this.#run.postponeChat.run(Math.round(dueAt), upstream, chat);
  }

  removeChat(upstream: string, chat: string): void {
    this.#run.removeChat.run(upstream, chat);
  }

  /** Looks for the newest thread to forget once, then forgets in portions; who waits for the database gets between. */
  async trim(limit: number, isOpen: () => boolean): Promise<void> {
    const last = this.#lastToForget(limit);
    if (last === undefined) return;
    while (isOpen() && this.#run.forgetOldest.run(last, trimmedAtOnce).changes === trimmedAtOnce) {
      await setImmediate();
    }
  }

  #lastToForget(limit: number): number | undefined {
    // Numbers have gaps, so there are at most as many threads as numbers; counting them would read the whole index.
    const [span] = readRow(MaybeNumberRow, this.#run.spanOfThreads.get());
    if (span === null || span <= limit) return undefined;
    const [count] = readRow(NumberRow, this.#run.countThreads.get());
    if (count <= limit) return undefined;
    return readRow(NumberRow, this.#run.nthThread.get(count - limit - 1))[0];
  }
}

function toChat(row: unknown): StoredChat {
  const [upstream, chat, scope, dueAt, attempts]: Static<typeof ChatRow> = readRow(ChatRow, row);
  return { upstream, chat, scope, dueAt, attempts };
}

function toThread(row: unknown): { key: string; thread: StoredThread } {
  const [key, upstream, chat, parent, system]: Static<typeof ThreadRow> = readRow(ThreadRow, row);
  return { key, thread: { upstream, chat, parent, system } };
}

/** The oldest first: SQLite returns deleted rows in no order. */
function taken(rows: readonly unknown[]): { key: string; thread: StoredThread }[] {
  const read = rows.map((row) => readRow(TakenRow, row)).sort((a, b) => a[5] - b[5]);
  return read.map(([key, upstream, chat, parent, system]) => ({
    key,
    thread: { upstream, chat, parent, system },
  }));
}

const thisChat = "chat_id = (SELECT id FROM chats WHERE upstream = ? AND chat = ?)";

function prepare(database: Database.Database) {
  const write = (sql: string) => database.prepare(sql);
  const read = (sql: string) => database.prepare(sql).raw();
  return {
    // The scope of the first save stays: another scope's save changes nothing.
    saveChat: write(
      `INSERT INTO chats (upstream, chat, scope, due_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET due_at = excluded.due_at, attempts = 0 WHERE scope = excluded.scope`,
    ),
    chat: read(
      `SELECT ${chatColumns} FROM chats WHERE upstream = ? AND chat = ? AND scope = ? AND due_at > ?`,
    ),
    // REPLACE, not an update: the thread gets a new number, the highest.
    saveThread: write(
      `INSERT OR REPLACE INTO threads (key, chat_id, parent, system)
       SELECT k.value, c.id, ?2, ?3 FROM chats c, json_each(?1) k WHERE c.upstream = ?4 AND c.chat = ?5`,
    ),
    threadOf: read(
      `SELECT ${threadColumns} FROM threads t JOIN chats c ON c.id = t.chat_id WHERE t.key = ? AND c.due_at > ?`,
    ),
    // CROSS JOIN keeps SQLite from starting at the chats that are not due.
    firstThread: read(
      `SELECT ${threadColumns} FROM json_each(?) k CROSS JOIN threads t ON t.key = k.value
       CROSS JOIN chats c ON c.id = t.chat_id WHERE c.due_at > ? ORDER BY k.key LIMIT 1`,
    ),
    latestThread: read(
      `SELECT ${threadColumns} FROM chats c JOIN threads t ON t.chat_id = c.id WHERE c.upstream = ? AND c.chat = ?
       ORDER BY t.seq DESC LIMIT 1`,
    ),
    // One statement each, so that of two connections only one sees the place.
    takeThread: read(
      `DELETE FROM threads WHERE chat_id = (
         SELECT t.chat_id FROM json_each(?) k CROSS JOIN threads t ON t.key = k.value
         CROSS JOIN chats c ON c.id = t.chat_id WHERE c.due_at > ? ORDER BY k.key LIMIT 1)
       RETURNING ${takenColumns}`,
    ),
    takeLatestThread: read(`DELETE FROM threads WHERE ${thisChat} RETURNING ${takenColumns}`),
    forgetThreads: write(`DELETE FROM threads WHERE ${thisChat}`),
    // The plus keeps SQLite from reading all chats of an upstream instead of those that are due.
    dueChats: read(
      `SELECT ${chatColumns} FROM chats WHERE due_at <= ? AND +upstream IN (SELECT value FROM json_each(?))
       ORDER BY due_at, id LIMIT ?`,
    ),
    countDueChats: read("SELECT count(*) FROM chats WHERE due_at <= ?"),
    postponeChat: write(
      "UPDATE chats SET due_at = ?, attempts = attempts + 1 WHERE upstream = ? AND chat = ?",
    ),
    // Its threads go with it: ON DELETE CASCADE.
    removeChat: write("DELETE FROM chats WHERE upstream = ? AND chat = ?"),
    // Two subqueries: SQLite takes the ends of the table only when they are asked for one by one.
    spanOfThreads: read("SELECT (SELECT max(seq) FROM threads) - (SELECT min(seq) FROM threads) + 1"),
    countThreads: read("SELECT count(*) FROM threads"),
    nthThread: read("SELECT seq FROM threads ORDER BY seq LIMIT 1 OFFSET ?"),
    forgetOldest: write(
      "DELETE FROM threads WHERE seq IN (SELECT seq FROM threads WHERE seq <= ? ORDER BY seq LIMIT ?)",
    ),
  };
}
