import { withoutCredentials } from "../../config/store-location.js";
import { limits } from "../../core/limits.js";
import type {
  FileSelection,
  KeySettings,
  KeyUsage,
  ResponseStore,
  Store,
  StoredCredentials,
  StoredFile,
  StoredKey,
  StoredResponse,
  StoreTraffic,
} from "../../core/store.js";
import { redisMessages } from "../../i18n/redis-messages.js";
import { CredentialCipher } from "../encryption.js";
import { StoreError } from "../errors.js";
import { RedisApiKeys } from "./api-keys.js";
import { RedisBuckets } from "./buckets.js";
import { RedisCapabilities } from "./capabilities.js";
import { RedisConnection } from "./connection.js";
import { RedisConversations } from "./conversations.js";
import { RedisCredentials } from "./credentials.js";
import { RedisFiles } from "./files.js";
import { RedisJournal } from "./journal.js";
import { RedisKeyUsage } from "./key-usage.js";
import { RedisResponses } from "./responses.js";
import { RedisSecrets } from "./secrets.js";
import { isNewEnough, readServerInfo } from "./server-info.js";
import { RedisSessions } from "./sessions.js";
import { RedisSlots } from "./slots.js";
import { RedisIndex } from "./store-index.js";
import { RedisUploads } from "./uploads.js";

/**
 * The store in Redis, for processes on any number of machines. Each call is one step there, unless its part says otherwise.
 * Saved credentials are on the disk of Redis before the call resolves, as far as it can tell; for everything else its reply
 * counts.
 */
export class RedisStore extends RedisConversations implements Store {
  readonly isShared = true;
  readonly notes = [];
  readonly journal: RedisJournal;
  readonly sessions: RedisSessions;
  readonly capabilities: RedisCapabilities;
  readonly index: RedisIndex;
  readonly slots: RedisSlots;
  readonly buckets: RedisBuckets;
  #refusedLocks = 0;
  readonly #connection: RedisConnection;
  readonly #credentials: RedisCredentials;
  readonly #keys: RedisApiKeys;
  readonly #keyUsage: RedisKeyUsage;
  readonly #secrets: RedisSecrets;
  readonly #responses: RedisResponses;
  readonly #uploads: RedisUploads;
  readonly #files: RedisFiles;

  private constructor(connection: RedisConnection, credentials: RedisCredentials, cipher: CredentialCipher) {
    super(connection);
    this.#connection = connection;
    this.#credentials = credentials;
    this.#keys = new RedisApiKeys(connection);
    this.#keyUsage = new RedisKeyUsage(connection);
    this.#secrets = new RedisSecrets(connection, cipher);
    this.#responses = new RedisResponses(connection);
    this.#uploads = new RedisUploads(connection);
    this.#files = new RedisFiles(connection);
    this.journal = new RedisJournal(connection, cipher);
    this.sessions = new RedisSessions(connection);
    this.capabilities = new RedisCapabilities(connection);
    this.index = new RedisIndex(connection, this.#secrets);
    this.buckets = new RedisBuckets(connection);
    this.slots = new RedisSlots(connection, limits.slotLease);
  }

  /**
   * `url`: as for `RedisConnection`. Credentials are sealed with the first key; the other keys open older ones. Throws StoreError
   * if Redis cannot be used, if there is no key, and if no key opens its credentials.
   */
  static async open(url: string, encryptionKeys: readonly Buffer[]): Promise<RedisStore> {
    if (encryptionKeys.length === 0)
      throw new StoreError(redisMessages.noEncryptionKey(withoutCredentials(url)));
    const connection = await RedisConnection.open(url);
    try {
      const info = await readServerInfo(connection, "server");
      if (!isNewEnough(info))
        throw new StoreError(redisMessages.tooOld(connection.address, info.get("redis_version") ?? "?"));
      const cipher = new CredentialCipher(encryptionKeys);
      const credentials = new RedisCredentials(connection, cipher);
      await credentials.sealOutdated();
      // Without a login, the secrets tell whether the key is the right one.
      await new RedisSecrets(connection, cipher).list();
      return new RedisStore(connection, credentials, cipher);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  listAccounts(): Promise<readonly string[]> {
    return this.#credentials.listAccounts();
  }

  findCredentials(account: string): Promise<StoredCredentials | undefined> {
    return this.#credentials.findCredentials(account);
  }

  removeCredentials(account: string): Promise<boolean> {
    return this.#credentials.removeCredentials(account);
  }

  renameAccount(from: string, to: string): Promise<boolean> {
    return this.#credentials.rename(from, to);
  }

  saveCredentials(account: string, tokens: StoredCredentials, fence?: number): Promise<boolean> {
    return this.#credentials.saveCredentials(account, tokens, fence);
  }

  async acquireLock(name: string, owner: string, until: number): Promise<number | undefined> {
    const token = await this.#credentials.acquireLock(name, owner, until);
    if (token === undefined) this.#refusedLocks++;
    return token;
  }

  releaseLock(name: string, owner: string): Promise<void> {
    return this.#credentials.releaseLock(name, owner);
  }

  listKeys(): Promise<readonly StoredKey[]> {
    return this.#keys.list();
  }

  findKeyByHash(sha256: string): Promise<StoredKey | undefined> {
    return this.#keys.findByHash(sha256);
  }

  findKeyByName(name: string): Promise<StoredKey | undefined> {
    return this.#keys.findByName(name);
  }

  addKey(key: StoredKey): Promise<boolean> {
    return this.#keys.add(key);
  }

  updateKey(name: string, settings: KeySettings): Promise<boolean> {
    return this.#keys.update(name, settings);
  }

  removeKey(name: string): Promise<boolean> {
    return this.#keys.remove(name);
  }

  countRequest(key: string, day: string, budget: Partial<KeyUsage>): Promise<keyof KeyUsage | undefined> {
    return this.#keyUsage.countRequest(key, day, budget);
  }

  addTokens(key: string, day: string, tokens: number): Promise<void> {
    return this.#keyUsage.addTokens(key, day, tokens);
  }

  findKeyUsage(key: string, day: string): Promise<KeyUsage> {
    return this.#keyUsage.findKeyUsage(key, day);
  }

  getOrCreateSecret(name: string, generate: () => string): Promise<string> {
    return this.#secrets.getOrCreate(name, generate);
  }

  saveResponse(response: StoredResponse, now: number): Promise<void> {
    return this.#responses.saveResponse(response, now);
  }

  findResponses(...args: Parameters<ResponseStore["findResponses"]>): Promise<readonly StoredResponse[]> {
    return this.#responses.findResponses(...args);
  }

  removeResponse(owner: string, id: string): Promise<boolean> {
    return this.#responses.removeResponse(owner, id);
  }

  findUploadedFile(scope: string, digest: string, since: number): Promise<string | undefined> {
    return this.#uploads.findUploadedFile(scope, digest, since);
  }

  saveUploadedFile(scope: string, digest: string, id: string, now: number): Promise<void> {
    return this.#uploads.saveUploadedFile(scope, digest, id, now);
  }

  saveFile(file: StoredFile): Promise<void> {
    return this.#files.saveFile(file);
  }

  findFile(owner: string, id: string): Promise<StoredFile | undefined> {
    return this.#files.findFile(owner, id);
  }

  listFiles(owner: string, selection: FileSelection): Promise<readonly StoredFile[]> {
    return this.#files.listFiles(owner, selection);
  }

  removeFile(owner: string, id: string): Promise<void> {
    return this.#files.removeFile(owner, id);
  }

  countFiles(): Promise<{ files: number; bytes: number }> {
    return this.#files.countFiles();
  }

  get traffic(): StoreTraffic {
    return { roundTrips: this.#connection.roundTrips, refusedLocks: this.#refusedLocks };
  }

  isReachable(): Promise<boolean> {
    return this.#connection.send("PING").then(
      () => true,
      () => false,
    );
  }

  close(): Promise<void> {
    this.slots.close();
    return this.#connection.close();
  }
}
