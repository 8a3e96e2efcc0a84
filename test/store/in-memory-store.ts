import type {
  FileSelection,
  KeySettings,
  KeyUsage,
  Store,
  StoredCredentials,
  StoredFile,
  StoredKey,
  StoredResponse,
  StoreIndex,
} from "../../src/core/store.js";
import { type ConversationData, InMemoryConversations } from "./in-memory-conversations.js";
import {
  createInMemoryCapabilities,
  createInMemoryJournal,
  createInMemorySessions,
  type JournalData,
} from "./in-memory-journal.js";

type Lock = { owner: string; until: number; token: number };
type Upload = { id: string; uploadedAt: number };

/** What the stores that are opened on one storage share, as processes share a database. */
export type InMemoryStorage = ConversationData &
  JournalData & {
    credentials: Map<string, StoredCredentials>;
    /** By account. */
    fences: Map<string, number>;
    lastToken: number;
    locks: Map<string, Lock>;
    /** Oldest first. */
    keys: StoredKey[];
    secrets: Map<string, string>;
    responses: StoredResponse[];
    /** By key and day. */
    keyUsage: Map<string, KeyUsage>;
    /** By scope and digest. */
    uploads: Map<string, Upload>;
    /** Oldest first. */
    files: StoredFile[];
  };

export function createInMemoryStorage(): InMemoryStorage {
  return {
    ...{ chats: [], nodes: [], forgotten: [], keys: [], files: [], responses: [] },
    ...{ journal: [], counted: [], capabilities: [], sessions: [], loginCodes: new Map() },
    ...{
      credentials: new Map(),
      fences: new Map(),
      lastToken: 0,
      locks: new Map(),
      secrets: new Map(),
      keyUsage: new Map(),
      uploads: new Map(),
    },
  };
}

function createInMemoryIndex(read: () => InMemoryStorage): StoreIndex {
  const unique = (texts: string[]) => [...new Set(texts)].sort();
  return {
    listSecrets: async () => new Map(read().secrets),
    listFileOwners: async () => unique(read().files.map(({ owner }) => owner)),
    listCapabilityAccounts: async () => unique(read().capabilities.map(({ account }) => account)),
    listResponses: async () => read().responses.map(({ owner, id }) => ({ owner, id })),
    listNodes: async (after, limit) => {
      const ids = read().nodes.map(({ id }) => id);
      return ids.filter((id) => id > after).slice(0, limit);
    },
  };
}

/** A store in memory, as plain as the contract allows: what other stores are compared with. */
export class InMemoryStore extends InMemoryConversations implements Store {
  readonly isShared = false;
  readonly notes = [];
  readonly slots = undefined;
  readonly buckets = undefined;
  readonly traffic = undefined;
  readonly journal = createInMemoryJournal(() => this.data);
  readonly sessions = createInMemorySessions(() => this.data);
  readonly capabilities = createInMemoryCapabilities(() => this.data);
  readonly index = createInMemoryIndex(() => this.data);
  /** Undefined once the store is closed. */
  #storage: InMemoryStorage | undefined;

  constructor(storage: InMemoryStorage) {
    super();
    this.#storage = storage;
  }

  protected get data(): InMemoryStorage {
    if (!this.#storage) throw new Error("The store is closed.");
    return this.#storage;
  }

  async isReachable(): Promise<boolean> {
    return this.#storage !== undefined;
  }

  async close(): Promise<void> {
    this.#storage = undefined;
  }

  async listAccounts(): Promise<readonly string[]> {
    return [...this.data.credentials.keys()].sort();
  }

  async findCredentials(account: string): Promise<StoredCredentials | undefined> {
    return structuredClone(this.data.credentials.get(account));
  }

  async saveCredentials(account: string, credentials: StoredCredentials, fence?: number): Promise<boolean> {
    const { fences, credentials: saved } = this.data;
    if (fence !== undefined && fence < (fences.get(account) ?? 0)) return false;
    fences.set(account, fence ?? this.data.lastToken + 1);
    saved.set(account, structuredClone(credentials));
    return true;
  }

  async removeCredentials(account: string): Promise<boolean> {
    this.data.fences.delete(account);
    return this.data.credentials.delete(account);
  }

  async renameAccount(from: string, to: string): Promise<boolean> {
    const { credentials, chats } = this.data;
    const stored = credentials.get(from);
    if (!stored || credentials.has(to)) return false;
    await this.removeCredentials(from);
    await this.saveCredentials(to, { ...stored, firstName: stored.firstName ?? from });
    for (const chat of chats) if (chat.upstream === from) chat.upstream = to;
    return true;
  }

  async acquireLock(name: string, owner: string, until: number): Promise<number | undefined> {
    const lock = this.data.locks.get(name);
    if (lock && lock.owner !== owner && lock.until > Date.now()) return undefined;
    const token = lock?.owner === owner ? lock.token : ++this.data.lastToken;
    this.data.locks.set(name, { owner, until, token });
    return token;
  }

  async releaseLock(name: string, owner: string): Promise<void> {
    if (this.data.locks.get(name)?.owner === owner) this.data.locks.delete(name);
  }

  async listKeys(): Promise<readonly StoredKey[]> {
    return structuredClone(this.data.keys);
  }

  async findKeyByHash(sha256: string): Promise<StoredKey | undefined> {
    return structuredClone(this.data.keys.find((key) => key.sha256 === sha256));
  }

  async findKeyByName(name: string): Promise<StoredKey | undefined> {
    return structuredClone(this.data.keys.find((key) => key.name === name));
  }

  async addKey(key: StoredKey): Promise<boolean> {
    if (this.data.keys.some(({ name }) => name === key.name)) return false;
    this.data.keys.push(structuredClone(key));
    return true;
  }

  async updateKey(name: string, settings: KeySettings): Promise<boolean> {
    const key = this.data.keys.find((each) => each.name === name);
    if (key) key.settings = structuredClone(settings);
    return key !== undefined;
  }

  async removeKey(name: string): Promise<boolean> {
    const index = this.data.keys.findIndex((key) => key.name === name);
    if (index < 0) return false;
    for (const entry of this.data.keyUsage.keys())
      if (entry.startsWith(`${name} `)) this.data.keyUsage.delete(entry);
    return this.data.keys.splice(index, 1).length === 1;
  }

  async countRequest(
    key: string,
    day: string,
    budget: Partial<KeyUsage>,
  ): Promise<keyof KeyUsage | undefined> {
    const usage = this.#usageOf(key, day);
    if (usage.requests >= (budget.requests ?? Number.POSITIVE_INFINITY)) return "requests";
    if (usage.tokens >= (budget.tokens ?? Number.POSITIVE_INFINITY)) return "tokens";
    this.data.keyUsage.set(`${key} ${day}`, { ...usage, requests: usage.requests + 1 });
    return undefined;
  }

  async addTokens(key: string, day: string, tokens: number): Promise<void> {
    const usage = this.#usageOf(key, day);
    this.data.keyUsage.set(`${key} ${day}`, { ...usage, tokens: usage.tokens + tokens });
  }

  async findKeyUsage(key: string, day: string): Promise<KeyUsage> {
    return this.#usageOf(key, day);
  }

  #usageOf(key: string, day: string): KeyUsage {
    return this.data.keyUsage.get(`${key} ${day}`) ?? { requests: 0, tokens: 0 };
  }

  async getOrCreateSecret(name: string, generate: () => string): Promise<string> {
    const secret = this.data.secrets.get(name) ?? generate();
    this.data.secrets.set(name, secret);
    return secret;
  }

  async saveResponse(response: StoredResponse, now: number): Promise<void> {
    const { owner, previous = "", expiresAt } = response;
    for (const earlier of this.#chain(owner, previous, Number.NEGATIVE_INFINITY))
      earlier.expiresAt = Math.max(earlier.expiresAt, expiresAt);
    this.data.responses.push({ ...response });
    this.data.responses = this.data.responses.filter((each) => each.expiresAt > now);
  }

  async findResponses(
    owner: string,
    id: string,
    { limit, bytes }: { limit: number; bytes: number },
    now: number,
  ): Promise<readonly StoredResponse[]> {
    let size = 0;
    const found: StoredResponse[] = [];
    for (const response of this.#chain(owner, id, now)) {
      if (found.length >= limit || (found.length > 0 && size >= bytes)) break;
      size += response.body.length;
      found.push({ ...response });
    }
    return found;
  }

  async removeResponse(owner: string, id: string): Promise<boolean> {
    const before = this.data.responses.length;
    this.data.responses = this.data.responses.filter((each) => each.owner !== owner || each.id !== id);
    return this.data.responses.length < before;
  }

  #chain(owner: string, id: string, now: number): StoredResponse[] {
    const response = this.data.responses.find((each) => each.owner === owner && each.id === id);
    if (!response || response.expiresAt <= now) return [];
    return [response, ...this.#chain(owner, response.previous ?? "", now)];
  }

  async findUploadedFile(scope: string, digest: string, since: number): Promise<string | undefined> {
    const upload = this.data.uploads.get(JSON.stringify([scope, digest]));
    return upload && upload.uploadedAt > since ? upload.id : undefined;
  }

  async saveUploadedFile(scope: string, digest: string, id: string, now: number): Promise<void> {
    this.data.uploads.set(JSON.stringify([scope, digest]), { id, uploadedAt: now });
  }

  async saveFile(file: StoredFile): Promise<void> {
    this.data.files.push({ ...file });
  }

  async findFile(owner: string, id: string): Promise<StoredFile | undefined> {
    return this.data.files.find((file) => file.owner === owner && file.id === id);
  }

  async listFiles(owner: string, selection: FileSelection): Promise<readonly StoredFile[]> {
    const { limit, after, purpose, newestFirst } = selection;
    const files = this.data.files.filter((file) => file.owner === owner);
    const ordered = newestFirst ? files.reverse() : files;
    return ordered
      .slice(ordered.findIndex(({ id }) => id === after) + 1)
      .filter((file) => purpose === undefined || file.purpose === purpose)
      .slice(0, limit);
  }

  async removeFile(owner: string, id: string): Promise<void> {
    const isOther = (file: StoredFile) => file.owner !== owner || file.id !== id;
    this.data.files = this.data.files.filter(isOther);
  }

  async countFiles(): Promise<{ files: number; bytes: number }> {
    return {
      files: this.data.files.length,
      bytes: this.data.files.reduce((sum, { size }) => sum + size, 0),
    };
  }
}
