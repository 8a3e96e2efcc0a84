import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import Database from "libsql";
import type { Store, StoredChat, StoredCredentials, StoredKey, StoredThread } from "./store.js";

/** A store that cannot be read or written; the message names the file and the remedy. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

const migrations = [
  `CREATE TABLE credentials (account TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE locks (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE keys (name TEXT NOT NULL, sha256 TEXT NOT NULL);
   CREATE TABLE chats (upstream TEXT NOT NULL, chat TEXT NOT NULL, scope TEXT NOT NULL, due_at INTEGER NOT NULL,
     attempts INTEGER NOT NULL, PRIMARY KEY (upstream, chat)) WITHOUT ROWID;
   CREATE INDEX chats_due ON chats (due_at);
   CREATE TABLE threads (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, upstream TEXT NOT NULL,
     chat TEXT NOT NULL, parent TEXT NOT NULL, system TEXT NOT NULL);
   CREATE INDEX threads_chat ON threads (upstream, chat, number);`,
];
const Thread = Type.Object({
  key: Type.String(),
  upstream: Type.String(),
  chat: Type.String(),
  parent: Type.String(),
  system: Type.String(),
});
const Chat = Type.Object({
  upstream: Type.String(),
  chat: Type.String(),
  scope: Type.String(),
  dueAt: Type.Number(),
  attempts: Type.Number(),
});
const Count = Type.Object({ count: Type.Number() });
function row<T extends TSchema>(schema: T, value: unknown): Static<T> | undefined {
  return Value.Check(schema, value) ? value : undefined;
}
export class SqliteStore implements Store {
  #db: Database.Database;
  private constructor(db: Database.Database) {
    this.#db = db;
  }
  static async open(path: string): Promise<SqliteStore> {
    try {
      mkdirSync(dirname(path), { recursive: true });
      closeSync(openSync(path, "a", 0o600));
      chmodSync(path, 0o600);
    } catch (cause) {
      throw new StoreError(
        `The database ${path} cannot be read or written. Set "store" to a file that can.`,
        { cause },
      );
    }
    try {
      const db = new Database(path);
      db.pragma("journal_mode = WAL");
      db.pragma("busy_timeout = 5000");
      db.pragma("synchronous = NORMAL");
      const v = Object(db.prepare("PRAGMA user_version").get()).user_version;
      for (let n = Number(v); n < migrations.length; n++) {
        db.exec(migrations[n] ?? "");
        db.exec(`PRAGMA user_version = ${n + 1}`);
      }
      return new SqliteStore(db);
    } catch {
      throw new StoreError(`The database ${path} is damaged. Restore it or move it away.`);
    }
  }
  async credentials(account: string): Promise<StoredCredentials | undefined> {
    const r = this.#db.prepare("SELECT value FROM credentials WHERE account = ?").get(account);
    return r ? JSON.parse(Object(r).value) : undefined;
  }
  async saveCredentials(account: string, c: StoredCredentials): Promise<void> {
    this.#db.prepare("INSERT OR REPLACE INTO credentials VALUES (?, ?)").run(account, JSON.stringify(c));
  }
  async lock(name: string, owner: string, until: number): Promise<boolean> {
    const r = this.#db
      .prepare(
        "INSERT INTO locks VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET owner = ?2, until = ?3 WHERE owner = ?2 OR until < ?4",
      )
      .run(name, owner, until, Date.now());
    return r.changes > 0;
  }
  async unlock(name: string, owner: string): Promise<void> {
    this.#db.prepare("DELETE FROM locks WHERE name = ? AND owner = ?").run(name, owner);
  }
  async keys(): Promise<readonly StoredKey[]> {
    return this.#db
      .prepare("SELECT name, sha256 FROM keys")
      .all()
      .map((r) => ({ name: Object(r).name, sha256: Object(r).sha256 }));
  }
  async addKey(k: StoredKey): Promise<void> {
    this.#db.prepare("INSERT INTO keys VALUES (?, ?)").run(k.name, k.sha256);
  }
  async saveChat(c: Omit<StoredChat, "attempts">): Promise<void> {
    this.#db
      .prepare(
        "INSERT INTO chats VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET due_at = excluded.due_at, attempts = 0",
      )
      .run(c.upstream, c.chat, c.scope, c.dueAt);
  }
  async chat(upstream: string, chat: string, scope: string, now: number): Promise<StoredChat | undefined> {
    return row(
      Chat,
      this.#db
        .prepare(
          "SELECT upstream, chat, scope, due_at AS dueAt, attempts FROM chats WHERE upstream = ? AND chat = ? AND scope = ? AND due_at > ?",
        )
        .get(upstream, chat, scope, now),
    );
  }
  async saveThread(keys: readonly string[], t: StoredThread): Promise<void> {
    for (const key of keys)
      this.#db
        .prepare(
          "INSERT OR REPLACE INTO threads (key, upstream, chat, parent, system) VALUES (?, ?, ?, ?, ?)",
        )
        .run(key, t.upstream, t.chat, t.parent, t.system);
  }
  async findThread(keys: readonly string[], now: number) {
    const s = this.#db.prepare(
      "SELECT key, t.upstream, t.chat, parent, system FROM threads t JOIN chats c ON c.upstream = t.upstream AND c.chat = t.chat WHERE key = ? AND due_at > ?",
    );
    for (const key of keys) {
      const f = row(Thread, s.get(key, now));
      if (f) {
        const { key: _, ...thread } = f;
        return { key, thread };
      }
    }
    return undefined;
  }
  async latestThread(upstream: string, chat: string): Promise<StoredThread | undefined> {
    return row(
      Thread,
      this.#db
        .prepare(
          "SELECT key, upstream, chat, parent, system FROM threads WHERE upstream = ? AND chat = ? ORDER BY number DESC LIMIT 1",
        )
        .get(upstream, chat),
    );
  }
  async forgetThreads(upstream: string, chat: string): Promise<void> {
    this.#db.prepare("DELETE FROM threads WHERE upstream = ? AND chat = ?").run(upstream, chat);
  }
  async dueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]> {
    return this.#db
      .prepare(
        `SELECT upstream, chat, scope, due_at AS dueAt, attempts FROM chats WHERE due_at <= ? AND upstream IN (${upstreams.map(() => "?").join()}) ORDER BY due_at LIMIT ?`,
      )
      .all(now, ...upstreams, limit)
      .flatMap((r) => row(Chat, r) ?? []);
  }
  async countDueChats(now: number): Promise<number> {
    return (
      row(Count, this.#db.prepare("SELECT count(*) AS count FROM chats WHERE due_at <= ?").get(now))?.count ??
      0
    );
  }
  async postponeChat(upstream: string, chat: string, dueAt: number): Promise<void> {
    this.#db
      .prepare("UPDATE chats SET due_at = ?, attempts = attempts + 1 WHERE upstream = ? AND chat = ?")
      .run(dueAt, upstream, chat);
  }
  async removeChat(upstream: string, chat: string): Promise<void> {
    await this.forgetThreads(upstream, chat);
    this.#db.prepare("DELETE FROM chats WHERE upstream = ? AND chat = ?").run(upstream, chat);
  }
  async trimThreads(limit: number): Promise<void> {
    this.#db.prepare("DELETE FROM threads WHERE number <= (SELECT max(number) FROM threads) - ?").run(limit);
  }
  async close(): Promise<void> {
    if (this.#db.open) this.#db.close();
  }
}
