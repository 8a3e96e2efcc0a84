import type { KimiSite } from "./kimi-site.js";
import type { TokenPair } from "./token.js";
import type { Principal } from "./types.js";

/** Persistent state. Each part is changed by one module only. Times are milliseconds since the epoch. */
export interface Store extends CredentialStore, KeyStore, ThreadStore, UploadStore, FileStore {
  /** The names of the accounts with stored credentials. */
  listAccounts(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** An account's stored tokens. */
export type StoredCredentials = {
  current: TokenPair;
  /** The pair before `current`, kept until `current` has worked. */
  previous?: TokenPair;
  /** Fingerprint of the configured token from which this pair was refreshed, or `login` for `moonbridge login`. */
  startedFrom: string;
  savedAt: number;
  /** The site of an account from `moonbridge login`; other accounts have it in the configuration. */
  site?: KimiSite;
};

/** The credentials of accounts, and locks between processes. */
export interface CredentialStore {
  /** The credentials of an account; undefined if none were saved. */
  findCredentials(account: string): Promise<StoredCredentials | undefined>;
  /** Resolves when the credentials are durable. */
  saveCredentials(account: string, credentials: StoredCredentials): Promise<void>;
  /**
   * Acquires the named lock for `owner` until `until`, or extends it; false while another owner holds it. An expired
   * lock can be acquired by anyone, so that a killed process does not block others for long.
   */
  acquireLock(name: string, owner: string, until: number): Promise<boolean>;
  /** Releases the lock if this owner still holds it. */
  releaseLock(name: string, owner: string): Promise<void>;
}

/** The settings of an API key. */
export type KeySettings = Omit<Principal, "keyName"> & {
  requestsPerMinute?: number;
  /** Maximum number of concurrent requests. */
  concurrency?: number;
  /** Expiry time. */
  expires?: number;
};

/** An API key from `moonbridge keys add`; the key itself is not stored. */
export type StoredKey = {
  name: string;
  sha256: string;
  settings: KeySettings;
  /** Undefined for keys of versions that did not record it. */
  createdAt?: number;
};

/** API keys from `moonbridge keys add`, and secrets of the server. */
export interface KeyStore {
  /** All keys, oldest first. */
  listKeys(): Promise<readonly StoredKey[]>;
  findKeyByHash(sha256: string): Promise<StoredKey | undefined>;
  findKeyByName(name: string): Promise<StoredKey | undefined>;
  /** False if the name is taken. */
  addKey(key: StoredKey): Promise<boolean>;
  /** False if there is none of this name. */
  removeKey(name: string): Promise<boolean>;
  /** A named secret of the server, created once by `generate` and then the same for all processes. */
  getOrCreateSecret(name: string, generate: () => string): Promise<string>;
}

/** A chat that Moonbridge created on an upstream, and when it is to be deleted there. */
export type StoredChat = {
  upstream: string;
  chat: string;
  /** Hash of principal, upstream, account and model scope; only requests of the same scope continue the chat. */
  scope: string;
  dueAt: number;
  /** Failed deletions. */
  attempts: number;
};

/** A resume point: a conversation can be continued after this message of this chat. */
export type StoredThread = {
  upstream: string;
  chat: string;
  /** The upstream's id of the answer that comes last. */
  parent: string;
  /** Hash of the system text that was sent to the chat. */
  system: string;
};

/** A resume point that was removed from the store, with the keys of all resume points of its chat, oldest first. */
export type ClaimedThread = { keys: readonly string[]; thread: StoredThread };

/** The chats that were created on upstreams, and the resume points inside them. */
export interface ThreadStore {
  /** Stores a new chat, or changes when a stored one is due. */
  saveChat(chat: Omit<StoredChat, "attempts">): Promise<void>;
  /** A chat of this scope that is not yet due. */
  findChat(upstream: string, chat: string, scope: string, now: number): Promise<StoredChat | undefined>;
  /** Stores a resume point under each of the keys, which are history hashes. */
  saveThread(keys: readonly string[], thread: StoredThread): Promise<void>;
  /** The resume point of the first known key whose chat is not due yet. */
  findThread(
    keys: readonly string[],
    now: number,
  ): Promise<{ key: string; thread: StoredThread } | undefined>;
  /** The newest resume point of a chat. */
  findLatestThread(upstream: string, chat: string): Promise<StoredThread | undefined>;
  /**
   * Like `findThread`, but removes all resume points of that chat in the same step, so that of concurrent calls with
   * any of its keys only one succeeds.
   */
  claimThread(keys: readonly string[], now: number): Promise<ClaimedThread | undefined>;
  /** Like `latestThread`, and removes like `claimThread`. */
  claimLatestThread(upstream: string, chat: string): Promise<ClaimedThread | undefined>;
  /** Removes the resume points of a chat, but not the chat itself: it still has to be deleted upstream. */
  removeThreads(upstream: string, chat: string): Promise<void>;
  /** Due chats of these upstreams, the longest overdue first. */
  listDueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]>;
  countDueChats(now: number): Promise<number>;
  /** After a failed deletion: increments `attempts` and sets the next due time. */
  postponeChat(upstream: string, chat: string, dueAt: number): Promise<void>;
  /** Removes a chat that is gone upstream, with its resume points. */
  removeChat(upstream: string, chat: string): Promise<void>;
  /** Removes the oldest resume points beyond the limit. */
  trimThreads(limit: number): Promise<void>;
}

/**
 * Files that were uploaded to upstreams. `scope`: hash of upstream and account; `digest`: SHA-256 of the bytes, in hex.
 */
export interface UploadStore {
  /** The upstream's id of a file with this digest that was uploaded later than `since` within the scope. */
  findUploadedFile(scope: string, digest: string, since: number): Promise<string | undefined>;
  /** Records that the file with this digest was uploaded at `now` within the scope. */
  saveUploadedFile(scope: string, digest: string, id: string, now: number): Promise<void>;
}

/** A file uploaded by a client; its bytes are on disk under its id. */
export type StoredFile = {
  id: string;
  /** The name of the API key that uploaded it. */
  owner: string;
  name: string;
  mediaType: string;
  purpose: string;
  /** In bytes. */
  size: number;
  /** SHA-256 of the bytes, in hex. */
  digest: string;
  createdAt: number;
};

/** Filter and page of a file list. */
export type FileSelection = {
  limit: number;
  /** The id of the file after which the page starts; an unknown id means from the first. */
  after: string | undefined;
  purpose: string | undefined;
  newestFirst: boolean;
};

/** Metadata of the files that clients uploaded. */
export interface FileStore {
  saveFile(file: StoredFile): Promise<void>;
  /** A file of this owner. */
  findFile(owner: string, id: string): Promise<StoredFile | undefined>;
  /** The owner's files by creation time. */
  listFiles(owner: string, selection: FileSelection): Promise<readonly StoredFile[]>;
  removeFile(owner: string, id: string): Promise<void>;
  /** Over all owners; `bytes` is the sum of their sizes. */
  countFiles(): Promise<{ files: number; bytes: number }>;
}
