import { resolve } from "node:path";
import type {
  ChatClaim,
  ChatPage,
  ChatSelection,
  ConversationNode,
  FileSelection,
  KeySettings,
  KeyUsage,
  NodeQuery,
  Store,
  StoredChat,
  StoredCredentials,
  StoredFile,
  StoredKey,
  StoredResponse,
  TrimLimits,
} from "../../core/store.js";
import { storeMessages } from "../../i18n/store-messages.js";
import { StoreError, toStoreError } from "../errors.js";
import { truncateWal } from "./database-file.js";
import {
  createCapabilityStore,
  createJournalStore,
  createSessionStore,
  createStoreIndex,
} from "./nested-stores.js";
import { type OpenDatabase, openDatabase } from "./open-database.js";

/**
 * The store as one SQLite file, readable by its owner only; several processes may use it at once. Credentials, keys,
 * files and locks are synced to disk before a call resolves. Chats, conversations, responses, uploads and what keys have used
 * go through a second connection that syncs at checkpoints: they survive a killed process, and an fsync per turn would delay
 * every stream.
 */
export class SqliteStore implements Store {
  readonly isShared = false;
  readonly notes: readonly string[];
  readonly slots = undefined;
  readonly buckets = undefined;
  readonly traffic = undefined;
  readonly journal = createJournalStore((task) => this.#run(task));
  readonly sessions = createSessionStore((task) => this.#run(task));
  readonly capabilities = createCapabilityStore((task) => this.#run(task));
  readonly index = createStoreIndex((task) => this.#run(task));
  readonly #path: string;
  /** Undefined once the store is closed. */
  #database: OpenDatabase | undefined;

  private constructor(path: string, database: OpenDatabase, notes: readonly string[]) {
    this.notes = notes;
    this.#path = path;
    this.#database = database;
  }

  /**
   * Credentials are encrypted with the first key, if any; the other keys decrypt older values. Throws StoreError and
   * leaves the file unchanged if it is damaged, of a newer version, not Moonbridge's or not writable, or if no key
   * decrypts its credentials.
   */
  static async open(path: string, encryptionKeys: readonly Buffer[] = []): Promise<SqliteStore> {
    // Absolute, so that SQLite does not parse it as a URI.
    const file = resolve(path);
    const { database, notes } = await openDatabase(file, encryptionKeys);
    return new SqliteStore(file, database, notes);
  }

  listAccounts(): Promise<readonly string[]> {
    return this.#run(({ credentials }) => credentials.listAccounts());
  }

  findCredentials(account: string): Promise<StoredCredentials | undefined> {
    return this.#run(({ credentials }) => credentials.find(account));
  }

  removeCredentials(account: string): Promise<boolean> {
    return this.#run(({ credentials }) => credentials.remove(account));
  }

  renameAccount(from: string, to: string): Promise<boolean> {
    return this.#run(({ batch, accountNames }) => {
      // Chats that were saved a moment ago belong to the account, too.
      batch.flush();
      return accountNames.rename(from, to);
    });
  }

  saveCredentials(account: string, tokens: StoredCredentials, fence?: number): Promise<boolean> {
    return this.#run(({ credentials }) => credentials.save(account, tokens, fence));
  }

  acquireLock(name: string, owner: string, until: number): Promise<number | undefined> {
    return this.#run(({ credentials }) => credentials.acquireLock(name, owner, until));
  }

  releaseLock(name: string, owner: string): Promise<void> {
    return this.#run(({ credentials }) => credentials.releaseLock(name, owner));
  }

  listKeys(): Promise<readonly StoredKey[]> {
    return this.#run(({ keys }) => keys.list());
  }

  findKeyByHash(sha256: string): Promise<StoredKey | undefined> {
    return this.#run(({ keys }) => keys.findByHash(sha256));
  }

  findKeyByName(name: string): Promise<StoredKey | undefined> {
    return this.#run(({ keys }) => keys.findByName(name));
  }

  addKey(key: StoredKey): Promise<boolean> {
    return this.#run(({ keys }) => keys.add(key));
  }

  updateKey(name: string, settings: KeySettings): Promise<boolean> {
    return this.#run(({ keys }) => keys.update(name, settings));
  }

  removeKey(name: string): Promise<boolean> {
    return this.#run(({ keys }) => keys.remove(name));
  }

  async countRequest(
    key: string,
    day: string,
    budget: Partial<KeyUsage>,
  ): Promise<keyof KeyUsage | undefined> {
    let usedUp: keyof KeyUsage | undefined;
    await this.#enqueueWrite(({ keyUsage }) => {
      usedUp = keyUsage.countRequest(key, day, budget);
    });
    return usedUp;
  }

  addTokens(key: string, day: string, tokens: number): Promise<void> {
    return this.#enqueueWrite(({ keyUsage }) => keyUsage.addTokens(key, day, tokens));
  }

  findKeyUsage(key: string, day: string): Promise<KeyUsage> {
    return this.#run(({ keyUsage }) => keyUsage.find(key, day));
  }

  getOrCreateSecret(name: string, generate: () => string): Promise<string> {
    return this.#run(({ keys }) => keys.getOrCreateSecret(name, generate));
  }

  saveChat(chat: Omit<StoredChat, "attempts">): Promise<void> {
    return this.#enqueueWrite(({ chats }) => chats.save(chat));
  }

  listDueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]> {
    return this.#run(({ chats }) => chats.listDue(upstreams, now, limit));
  }

  listChats(selection: ChatSelection): Promise<ChatPage> {
    return this.#run(({ chats }) => chats.list(selection));
  }

  findChat(upstream: string, chat: string): Promise<StoredChat | undefined> {
    return this.#run(({ chats }) => chats.find(upstream, chat));
  }

  countDueChats(now: number): Promise<number> {
    return this.#run(({ chats }) => chats.countDue(now));
  }

  makeChatsDue(upstreams: readonly string[], now: number): Promise<number> {
    return this.#run(({ chats }) => chats.makeDue(upstreams, now));
  }

  postponeChat(upstream: string, chat: string, dueAt: number): Promise<void> {
    return this.#run(({ chats }) => chats.postpone(upstream, chat, dueAt));
  }

  removeChat(upstream: string, chat: string, now: number): Promise<void> {
    return this.#run(({ chats }) => chats.remove(upstream, chat, now));
  }

  findNodes(query: NodeQuery, limit: number, now: number): Promise<readonly ConversationNode[]> {
    return this.#run(({ conversations }) => conversations.findNodes(query, limit, now));
  }

  findPath(id: number, limit: number, now: number): Promise<readonly ConversationNode[]> {
    return this.#run(({ conversations }) => conversations.findPath(id, limit, now));
  }

  knownHashes(hashes: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#run(({ conversations }) => conversations.knownHashes(hashes));
  }

  claimChat(claim: Parameters<Store["claimChat"]>[0]): Promise<boolean> {
    return this.#run(({ conversations }) => conversations.claimChat(claim));
  }

  extendClaim(claim: ChatClaim, until: number): Promise<void> {
    return this.#enqueueWrite(({ conversations }) => conversations.extendClaim(claim, until));
  }

  releaseChat(claim: ChatClaim, end?: number): Promise<void> {
    return this.#enqueueWrite(({ conversations }) => conversations.releaseChat(claim, end));
  }

  saveNode(...[node, chat]: Parameters<Store["saveNode"]>): Promise<void> {
    return this.#enqueueWrite(({ conversations }) => conversations.saveNode(node, chat));
  }

  detachNodes(upstream: string, chat: string, now: number): Promise<void> {
    return this.#run(({ chats }) => chats.detachNodes(upstream, chat, now));
  }

  isAnswerForgotten(answer: string, affinity: string | undefined): Promise<boolean> {
    return this.#run(({ conversations }) => conversations.isAnswerForgotten(answer, affinity));
  }

  trimNodes(limits: TrimLimits, now: number): Promise<void> {
    return this.#run(({ nodeTrimmer }) => nodeTrimmer.trim(limits, now, () => this.#database !== undefined));
  }

  saveResponse(response: StoredResponse, now: number): Promise<void> {
    return this.#enqueueWrite(({ responses }) => responses.save(response, now));
  }

  findResponses(
    ...[owner, id, most, now]: Parameters<Store["findResponses"]>
  ): Promise<readonly StoredResponse[]> {
    return this.#run(({ responses }) => responses.find(owner, id, most, now));
  }

  removeResponse(owner: string, id: string): Promise<boolean> {
    return this.#run(({ responses }) => responses.remove(owner, id));
  }

  findUploadedFile(scope: string, digest: string, since: number): Promise<string | undefined> {
    return this.#run(({ uploads }) => uploads.find(scope, digest, since));
  }

  saveUploadedFile(scope: string, digest: string, id: string, now: number): Promise<void> {
    return this.#enqueueWrite(({ uploads }) => uploads.save(scope, digest, id, now));
  }

  saveFile(file: StoredFile): Promise<void> {
    return this.#run(({ files }) => files.save(file));
  }

  findFile(owner: string, id: string): Promise<StoredFile | undefined> {
    return this.#run(({ files }) => files.find(owner, id));
  }

  listFiles(owner: string, selection: FileSelection): Promise<readonly StoredFile[]> {
    return this.#run(({ files }) => files.list(owner, selection));
  }

  removeFile(owner: string, id: string): Promise<void> {
    return this.#run(({ files }) => files.remove(owner, id));
  }

  countFiles(): Promise<{ files: number; bytes: number }> {
    return this.#run(({ files }) => files.count());
  }

  async isReachable(): Promise<boolean> {
    return this.#database !== undefined;
  }

  async close(): Promise<void> {
    const database = this.#database;
    if (!database) return;
    // libsql closes the file when its statements are garbage-collected, so nothing may reference them.
    this.#database = undefined;
    database.batch.flush();
    if (database.connections[0]) truncateWal(database.connections[0]);
    for (const connection of database.connections) connection.close();
  }

  /** For frequent writes: batched with the others of this event loop iteration. */
  #enqueueWrite(work: (database: OpenDatabase) => void): Promise<void> {
    return this.#run((database) => database.batch.add(() => work(database)));
  }

  /** Turns any failure into a StoreError, which contains no stored value. */
  async #run<T>(work: (database: OpenDatabase) => T | Promise<T>): Promise<T> {
    if (!this.#database) throw new StoreError(storeMessages.closed(this.#path));
    try {
      return await work(this.#database);
    } catch (error) {
      throw toStoreError(this.#path, error);
    }
  }
}
