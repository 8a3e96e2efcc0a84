import { resolve } from "node:path";
import type Database from "libsql";
import type {
  FileSelection,
  Store,
  StoredChat,
  StoredCredentials,
  StoredFile,
  StoredKey,
  StoredThread,
  TakenThread,
} from "../../core/store.js";
import { Seal } from "../encryption.js";
import { StoreError, storeError } from "../errors.js";
import { Checkpoints } from "./checkpoints.js";
import { SqliteCredentials } from "./credentials.js";
import { checkDatabase, connect, emptyWal, keepPrivate, prepareFile } from "./database-file.js";
import { SqliteFiles } from "./files.js";
import { SqliteKeys } from "./keys.js";
import { migrate } from "./migrations.js";
import { SqliteThreads } from "./threads.js";
import { SqliteUploads } from "./uploads.js";
import { WriteBatch } from "./write-batch.js";

export { StoreError } from "../errors.js";

type Parts = {
  connections: readonly Database.Database[];
  credentials: SqliteCredentials;
  keys: SqliteKeys;
  threads: SqliteThreads;
  uploads: SqliteUploads;
  files: SqliteFiles;
  batch: WriteBatch;
  checkpoints: Checkpoints;
};

/**
 * The store as one SQLite file, readable by its owner only; several processes may use it at once. Tokens, keys and
 * locks are synced before a call resolves. Chats and threads have a connection of their own that leaves syncing to
 * SQLite's checkpoints: they survive a kill, and an fsync per turn would hold up every stream.
 */
export class SqliteStore implements Store {
  readonly #path: string;
  /** Gone once the store is closed. */
  #parts: Parts | undefined;

  private constructor(path: string, parts: Parts) {
    this.#path = path;
    this.#parts = parts;
  }

  /**
   * Logins are sealed with the first of the keys, if there are any; the others open what was sealed with them before.
   * Throws StoreError if the file is damaged, newer or not ours, if it cannot be written, or if no key opens what is
   * sealed in it; it is left as it is then.
   */
  static async open(path: string, sealKeys: readonly Buffer[] = []): Promise<SqliteStore> {
    // Absolute, so that SQLite takes no part of it for a URI.
    const file = resolve(path);
    await prepareFile(file);
    const connections: Database.Database[] = [];
    try {
      checkDatabase(file);
      const synced = connect(file, "FULL");
      connections.push(synced);
      migrate(synced);
      const quick = connect(file, "NORMAL");
      connections.push(quick);
      await keepPrivate(file);
      const seal = new Seal(sealKeys);
      const credentials = new SqliteCredentials(synced, seal);
      if (credentials.stale().length > 0) synced.transaction(() => credentials.sealAll()).immediate();
      // What was plain before may still stand in there.
      if (sealKeys.length > 0) emptyWal(synced);
      const checkpoints = new Checkpoints(file);
      return new SqliteStore(file, {
        connections,
        credentials,
        keys: new SqliteKeys(synced, seal),
        threads: new SqliteThreads(quick),
        uploads: new SqliteUploads(quick),
        files: new SqliteFiles(synced),
        batch: new WriteBatch(quick, (count) => checkpoints.written(count)),
        checkpoints,
      });
    } catch (error) {
      for (const connection of connections) connection.close();
      throw storeError(file, error);
    }
  }

  accounts(): Promise<readonly string[]> {
    return this.#use(({ credentials }) => credentials.accounts());
  }

  credentials(account: string): Promise<StoredCredentials | undefined> {
    return this.#use(({ credentials }) => credentials.find(account));
  }

  saveCredentials(account: string, tokens: StoredCredentials): Promise<void> {
    return this.#use(({ credentials }) => credentials.save(account, tokens));
  }

  lock(name: string, owner: string, until: number): Promise<boolean> {
    return this.#use(({ credentials }) => credentials.lock(name, owner, until));
  }

  unlock(name: string, owner: string): Promise<void> {
    return this.#use(({ credentials }) => credentials.unlock(name, owner));
  }

  keys(): Promise<readonly StoredKey[]> {
    return this.#use(({ keys }) => keys.all());
  }

  keyByHash(sha256: string): Promise<StoredKey | undefined> {
    return this.#use(({ keys }) => keys.byHash(sha256));
  }

  keyByName(name: string): Promise<StoredKey | undefined> {
    return this.#use(({ keys }) => keys.byName(name));
  }

  addKey(key: StoredKey): Promise<boolean> {
    return this.#use(({ keys }) => keys.add(key));
  }

  removeKey(name: string): Promise<boolean> {
    return this.#use(({ keys }) => keys.remove(name));
  }

  secret(name: string, make: () => string): Promise<string> {
    return this.#use(({ keys }) => keys.secret(name, make));
  }

  saveChat(chat: Omit<StoredChat, "attempts">): Promise<void> {
    return this.#write(({ threads }) => threads.saveChat(chat));
  }

  chat(upstream: string, chat: string, scope: string, now: number): Promise<StoredChat | undefined> {
    return this.#use(({ threads }) => threads.chat(upstream, chat, scope, now));
  }

  saveThread(keys: readonly string[], thread: StoredThread): Promise<void> {
    return this.#write(({ threads }) => threads.saveThread(keys, thread));
  }

  findThread(
    keys: readonly string[],
    now: number,
  ): Promise<{ key: string; thread: StoredThread } | undefined> {
    return this.#use(({ threads }) => threads.findThread(keys, now));
  }

  latestThread(upstream: string, chat: string): Promise<StoredThread | undefined> {
    return this.#use(({ threads }) => threads.latestThread(upstream, chat));
  }

  takeThread(keys: readonly string[], now: number): Promise<TakenThread | undefined> {
    return this.#use(({ threads }) => threads.takeThread(keys, now));
  }

  takeLatestThread(upstream: string, chat: string): Promise<TakenThread | undefined> {
    return this.#use(({ threads }) => threads.takeLatestThread(upstream, chat));
  }

  forgetThreads(upstream: string, chat: string): Promise<void> {
    return this.#use(({ threads }) => threads.forgetThreads(upstream, chat));
  }

  dueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]> {
    return this.#use(({ threads }) => threads.dueChats(upstreams, now, limit));
  }

  countDueChats(now: number): Promise<number> {
    return this.#use(({ threads }) => threads.countDueChats(now));
  }

  postponeChat(upstream: string, chat: string, dueAt: number): Promise<void> {
    return this.#use(({ threads }) => threads.postponeChat(upstream, chat, dueAt));
  }

  removeChat(upstream: string, chat: string): Promise<void> {
    return this.#use(({ threads }) => threads.removeChat(upstream, chat));
  }

  trimThreads(limit: number): Promise<void> {
    return this.#use(({ threads }) => threads.trim(limit, () => this.#parts !== undefined));
  }

  uploadedFile(scope: string, digest: string, since: number): Promise<string | undefined> {
    return this.#use(({ uploads }) => uploads.find(scope, digest, since));
  }

  saveUploadedFile(scope: string, digest: string, id: string, now: number): Promise<void> {
    return this.#write(({ uploads }) => uploads.save(scope, digest, id, now));
  }

  saveFile(file: StoredFile): Promise<void> {
    return this.#use(({ files }) => files.save(file));
  }

  file(owner: string, id: string): Promise<StoredFile | undefined> {
    return this.#use(({ files }) => files.find(owner, id));
  }

  files(owner: string, selection: FileSelection): Promise<readonly StoredFile[]> {
    return this.#use(({ files }) => files.list(owner, selection));
  }

  removeFile(owner: string, id: string): Promise<void> {
    return this.#use(({ files }) => files.remove(owner, id));
  }

  countFiles(): Promise<{ files: number; bytes: number }> {
    return this.#use(({ files }) => files.count());
  }

  async close(): Promise<void> {
    const parts = this.#parts;
    if (!parts) return;
    // libsql lets go of the file once its statements are collected, so nothing may hold them any longer.
    this.#parts = undefined;
    parts.batch.flush();
    await parts.checkpoints.close();
    if (parts.connections[0]) emptyWal(parts.connections[0]);
    for (const connection of parts.connections) connection.close();
  }

  /** A write of which there are many: it goes together with the others of this turn of the event loop. */
  #write(work: (parts: Parts) => void): Promise<void> {
    return this.#use((parts) => parts.batch.add(() => work(parts)));
  }

  /** Every call goes through here: what fails becomes a StoreError that holds no value. */
  async #use<T>(work: (parts: Parts) => T | Promise<T>): Promise<T> {
    if (!this.#parts) throw new StoreError(`The database ${this.#path} is closed.`);
    try {
      return await work(this.#parts);
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}
