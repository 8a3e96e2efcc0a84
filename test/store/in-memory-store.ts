import type { FileSelection, Store, StoredCredentials, StoredFile, StoredKey } from "../../src/core/store.js";
import { type ConversationData, InMemoryConversations } from "./in-memory-conversations.js";

type Lock = { owner: string; until: number };
type Upload = { id: string; uploadedAt: number };

/** What the stores that are opened on one storage share, as processes share a database. */
export type InMemoryStorage = ConversationData & {
  credentials: Map<string, StoredCredentials>;
  locks: Map<string, Lock>;
  /** Oldest first. */
  keys: StoredKey[];
  secrets: Map<string, string>;
  /** By scope and digest. */
  uploads: Map<string, Upload>;
  /** Oldest first. */
  files: StoredFile[];
};

export function createInMemoryStorage(): InMemoryStorage {
  return {
    ...{ chats: [], nodes: [], forgotten: [], keys: [], files: [] },
    ...{ credentials: new Map(), locks: new Map(), secrets: new Map(), uploads: new Map() },
  };
}

/** A store in memory, as plain as the contract allows: what other stores are compared with. */
export class InMemoryStore extends InMemoryConversations implements Store {
  readonly notes = [];
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

  async close(): Promise<void> {
    this.#storage = undefined;
  }

  async listAccounts(): Promise<readonly string[]> {
    return [...this.data.credentials.keys()].sort();
  }

  async findCredentials(account: string): Promise<StoredCredentials | undefined> {
    return structuredClone(this.data.credentials.get(account));
  }

  async saveCredentials(account: string, credentials: StoredCredentials): Promise<void> {
    this.data.credentials.set(account, structuredClone(credentials));
  }

  async acquireLock(name: string, owner: string, until: number): Promise<boolean> {
    const lock = this.data.locks.get(name);
    if (lock && lock.owner !== owner && lock.until > Date.now()) return false;
    this.data.locks.set(name, { owner, until });
    return true;
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

  async removeKey(name: string): Promise<boolean> {
    const index = this.data.keys.findIndex((key) => key.name === name);
    return index >= 0 && this.data.keys.splice(index, 1).length === 1;
  }

  async getOrCreateSecret(name: string, generate: () => string): Promise<string> {
    const secret = this.data.secrets.get(name) ?? generate();
    this.data.secrets.set(name, secret);
    return secret;
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
