import { setImmediate } from "node:timers/promises";
import { type Static, Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { ClaimedThread, StoredChat, StoredThread } from "../../core/store.js";
import { readRow } from "./database-file.js";

const ChatRow = Type.Tuple([Type.String(), Type.String(), Type.String(), Type.Number(), Type.Number()]);
const threadRow = [Type.String(), Type.String(), Type.String(), Type.String(), Type.String()] as const;
const ThreadRow = Type.Tuple([...threadRow]);
const ClaimedRow = Type.Tuple([...threadRow, Type.Number()]);
const NumberRow = Type.Tuple([Type.Number()]);
const NullableNumberRow = Type.Tuple([Type.Union([Type.Number(), Type.Null()])]);

/** Threads deleted per statement: a statement blocks the event loop. */
const trimBatchSize = 100;

const chatColumns = "upstream, chat, scope, due_at, attempts";
const threadColumns = "t.key, c.upstream, c.chat, t.parent, t.system";
const chatColumn = (column: string) => `(SELECT ${column} FROM chats WHERE id = chat_id)`;
const claimedColumns = `key, ${chatColumn("upstream")}, ${chatColumn("chat")}, parent, system, seq`;

/**
 * The tables of chats and threads. Every look-up uses an index, so its cost does not grow with the number of threads.
 */
export class SqliteThreads {
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(database: Database.Database) {
    this.#statements = prepareStatements(database);
  }

  saveChat({ upstream, chat, scope, dueAt }: Omit<StoredChat, "attempts">): void {
    this.#statements.saveChat.run(upstream, chat, scope, Math.round(dueAt));
  }

  findChat(upstream: string, chat: string, scope: string, now: number): StoredChat | undefined {
    const row = this.#statements.findChat.get(upstream, chat, scope, now);
    return row === undefined ? undefined : toStoredChat(row);
  }

  /** Saves nothing if the chat is not in the store. */
  saveThread(keys: readonly string[], { upstream, chat, parent, system }: StoredThread): void {
    this.#statements.saveThread.run(JSON.stringify(keys), parent, system, upstream, chat);
  }

  /** The first key nearly always matches and is cheapest on its own; the others are looked up together. */
  findThread(keys: readonly string[], now: number): { key: string; thread: StoredThread } | undefined {
    const [first, ...others] = keys;
    if (first === undefined) return undefined;
    let row = this.#statements.findThread.get(first, now);
    if (row === undefined && others.length > 0)
      row = this.#statements.findFirstThread.get(JSON.stringify(others), now);
    return row === undefined ? undefined : toThread(row);
  }

  latestThread(upstream: string, chat: string): StoredThread | undefined {
    const row = this.#statements.latestThread.get(upstream, chat);
    return row === undefined ? undefined : toThread(row).thread;
  }

  claimThread(keys: readonly string[], now: number): ClaimedThread | undefined {
    const rows = toClaimedThreads(this.#statements.claimThread.all(JSON.stringify(keys), now));
    const key = keys.find((wanted) => rows.some((row) => row.key === wanted));
    const thread = rows.find((row) => row.key === key)?.thread;
    return thread && { keys: rows.map((row) => row.key), thread };
  }

  claimLatestThread(upstream: string, chat: string): ClaimedThread | undefined {
    const rows = toClaimedThreads(this.#statements.claimLatestThread.all(upstream, chat));
    const thread = rows.at(-1)?.thread;
    return thread && { keys: rows.map((row) => row.key), thread };
  }

  removeThreads(upstream: string, chat: string): void {
    this.#statements.removeThreads.run(upstream, chat);
  }

  dueChats(upstreams: readonly string[], now: number, limit: number): StoredChat[] {
    return this.#statements.dueChats.all(now, JSON.stringify(upstreams), limit).map(toStoredChat);
  }

  countDueChats(now: number): number {
    return readRow(NumberRow, this.#statements.countDueChats.get(now))[0];
  }

  postponeChat(upstream: string, chat: string, dueAt: number): void {
    this.#statements.postponeChat.run(Math.round(dueAt), upstream, chat);
  }

  removeChat(upstream: string, chat: string): void {
    this.#statements.removeChat.run(upstream, chat);
  }

  /** Deletes the oldest threads beyond `limit` in batches, so that other calls can run in between. */
  async trimThreads(limit: number, isOpen: () => boolean): Promise<void> {
    const lastSeq = this.#lastSeqToTrim(limit);
    if (lastSeq === undefined) return;
    while (isOpen() && this.#statements.deleteOldest.run(lastSeq, trimBatchSize).changes === trimBatchSize) {
      await setImmediate();
    }
  }

  #lastSeqToTrim(limit: number): number | undefined {
    // Sequence numbers have gaps, so the span is an upper bound; an exact count would read the whole index.
    const [span] = readRow(NullableNumberRow, this.#statements.seqSpan.get());
    if (span === null || span <= limit) return undefined;
    const [count] = readRow(NumberRow, this.#statements.countThreads.get());
    if (count <= limit) return undefined;
    return readRow(NumberRow, this.#statements.seqAtOffset.get(count - limit - 1))[0];
  }
}

function toStoredChat(row: unknown): StoredChat {
  const [upstream, chat, scope, dueAt, attempts]: Static<typeof ChatRow> = readRow(ChatRow, row);
  return { upstream, chat, scope, dueAt, attempts };
}

function toThread(row: unknown): { key: string; thread: StoredThread } {
  const [key, upstream, chat, parent, system]: Static<typeof ThreadRow> = readRow(ThreadRow, row);
  return { key, thread: { upstream, chat, parent, system } };
}

/** Oldest first: SQLite returns deleted rows in no particular order. */
function toClaimedThreads(rows: readonly unknown[]): { key: string; thread: StoredThread }[] {
  const sorted = rows.map((row) => readRow(ClaimedRow, row)).sort((a, b) => a[5] - b[5]);
  return sorted.map(([key, upstream, chat, parent, system]) => ({
    key,
    thread: { upstream, chat, parent, system },
  }));
}

const whereChat = "chat_id = (SELECT id FROM chats WHERE upstream = ? AND chat = ?)";

function prepareStatements(database: Database.Database) {
  const write = (sql: string) => database.prepare(sql);
  const read = (sql: string) => database.prepare(sql).raw();
  return {
    // A chat keeps the scope of its first save; a save with another scope changes nothing.
    saveChat: write(
      `INSERT INTO chats (upstream, chat, scope, due_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET due_at = excluded.due_at, attempts = 0 WHERE scope = excluded.scope`,
    ),
    findChat: read(
      `SELECT ${chatColumns} FROM chats WHERE upstream = ? AND chat = ? AND scope = ? AND due_at > ?`,
    ),
    // REPLACE instead of UPDATE: the thread gets a new, highest sequence number.
    saveThread: write(
      `INSERT OR REPLACE INTO threads (key, chat_id, parent, system)
       SELECT k.value, c.id, ?2, ?3 FROM chats c, json_each(?1) k WHERE c.upstream = ?4 AND c.chat = ?5`,
    ),
    findThread: read(
      `SELECT ${threadColumns} FROM threads t JOIN chats c ON c.id = t.chat_id WHERE t.key = ? AND c.due_at > ?`,
    ),
    // CROSS JOIN keeps SQLite from starting at the chats that are not due.
    findFirstThread: read(
      `SELECT ${threadColumns} FROM json_each(?) k CROSS JOIN threads t ON t.key = k.value
       CROSS JOIN chats c ON c.id = t.chat_id WHERE c.due_at > ? ORDER BY k.key LIMIT 1`,
    ),
    latestThread: read(
      `SELECT ${threadColumns} FROM chats c JOIN threads t ON t.chat_id = c.id WHERE c.upstream = ? AND c.chat = ?
       ORDER BY t.seq DESC LIMIT 1`,
    ),
    // A single statement each, so that only one of two connections gets the thread.
    claimThread: read(
      `DELETE FROM threads WHERE chat_id = (
         SELECT t.chat_id FROM json_each(?) k CROSS JOIN threads t ON t.key = k.value
         CROSS JOIN chats c ON c.id = t.chat_id WHERE c.due_at > ? ORDER BY k.key LIMIT 1)
       RETURNING ${claimedColumns}`,
    ),
    claimLatestThread: read(`DELETE FROM threads WHERE ${whereChat} RETURNING ${claimedColumns}`),
    removeThreads: write(`DELETE FROM threads WHERE ${whereChat}`),
    // The plus keeps SQLite from reading all chats of an upstream instead of those that are due.
    dueChats: read(
      `SELECT ${chatColumns} FROM chats WHERE due_at <= ? AND +upstream IN (SELECT value FROM json_each(?))
       ORDER BY due_at, id LIMIT ?`,
    ),
    countDueChats: read("SELECT count(*) FROM chats WHERE due_at <= ?"),
    postponeChat: write(
      "UPDATE chats SET due_at = ?, attempts = attempts + 1 WHERE upstream = ? AND chat = ?",
    ),
    // Deletes its threads too: ON DELETE CASCADE.
    removeChat: write("DELETE FROM chats WHERE upstream = ? AND chat = ?"),
    // Two subqueries: SQLite optimises min() and max() only if each is alone in its query.
    seqSpan: read("SELECT (SELECT max(seq) FROM threads) - (SELECT min(seq) FROM threads) + 1"),
    countThreads: read("SELECT count(*) FROM threads"),
    seqAtOffset: read("SELECT seq FROM threads ORDER BY seq LIMIT 1 OFFSET ?"),
    deleteOldest: write(
      "DELETE FROM threads WHERE seq IN (SELECT seq FROM threads WHERE seq <= ? ORDER BY seq LIMIT ?)",
    ),
  };
}
