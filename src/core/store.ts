import type { KimiSite } from "./kimi-site.js";
import type { TokenPair } from "./token.js";
import type { Principal } from "./types.js";

/** What must outlive the process. Each part has one owner, which alone changes it. Times are milliseconds since the epoch. */
export interface Store extends CredentialStore, KeyStore, ThreadStore, UploadStore, FileStore {
  /** The names of the accounts whose tokens are kept. */
  accounts(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** An account's tokens as they are kept. */
export type StoredCredentials = {
  current: TokenPair;
  /** The pair before; kept until the current one has worked. */
  previous?: TokenPair;
  /** Fingerprint of the configured token that this pair descends from, or `login` for one of `moonbridge login`. */
  startedFrom: string;
  savedAt: number;
  /** Where a login of `moonbridge login` is good for; the configuration says it of the others. */
  site?: KimiSite;
};

export interface CredentialStore {
  /** The tokens of an account, or undefined if none were ever saved. */
  credentials(account: string): Promise<StoredCredentials | undefined>;
  /** Resolves when the tokens would survive a power cut. */
  saveCredentials(account: string, credentials: StoredCredentials): Promise<void>;
  /**
   * Takes the named lock for `owner` until `until`, or prolongs it; false while another owner holds it. A lock whose
   * time is over belongs to whoever asks first, so that a killed process blocks nobody for long.
   */
  lock(name: string, owner: string, until: number): Promise<boolean>;
  /** Gives the lock back, if this owner still has it. */
  unlock(name: string, owner: string): Promise<void>;
}

/** What was settled for an API key. */
export type KeySettings = Omit<Principal, "keyName"> & {
  requestsPerMinute?: number;
  /** Requests that may run at the same time. */
  concurrency?: number;
  /** From then on it opens nothing. */
  expires?: number;
};

/** An API key of Moonbridge's own; the key itself is never kept. */
export type StoredKey = {
  name: string;
  sha256: string;
  settings: KeySettings;
  /** Undefined: by a version that did not note it. */
  createdAt?: number;
};

export interface KeyStore {
  /** All keys, the oldest first. */
  keys(): Promise<readonly StoredKey[]>;
  keyByHash(sha256: string): Promise<StoredKey | undefined>;
  keyByName(name: string): Promise<StoredKey | undefined>;
  /** False if there is a key of this name already. */
  addKey(key: StoredKey): Promise<boolean>;
  /** False if there is none of this name. */
  removeKey(name: string): Promise<boolean>;
  /** A secret of the server's own: `make` makes it once, for all processes and for good. */
  secret(name: string, make: () => string): Promise<string>;
}

/** A chat that Moonbridge has created on an upstream, and when it is to be deleted there. */
export type StoredChat = {
  upstream: string;
  chat: string;
  /** Whom it belongs to: caller, upstream, account and scenario. Nobody else ever continues it. */
  scope: string;
  dueAt: number;
  /** How often deleting it has failed. */
  attempts: number;
};

/** Where a conversation can be continued: after this message of this chat. */
export type StoredThread = {
  upstream: string;
  chat: string;
  /** The upstream's id of the answer that comes last. */
  parent: string;
  /** Digest of the system text that the chat has been told. */
  system: string;
};

/** A place that was taken out of the store, with all names that places of its chat had, the oldest first. */
export type TakenThread = { keys: readonly string[]; thread: StoredThread };

export interface ThreadStore {
  /** Notes a chat as soon as the upstream has named it, or moves the time at which it is due. */
  saveChat(chat: Omit<StoredChat, "attempts">): Promise<void>;
  /** A chat of this scope that is not due yet. */
  chat(upstream: string, chat: string, scope: string, now: number): Promise<StoredChat | undefined>;
  /** Remembers where a history stands. `keys` are names of the same place. */
  saveThread(keys: readonly string[], thread: StoredThread): Promise<void>;
  /** The first of the keys that is known and whose chat is not due yet. */
  findThread(
    keys: readonly string[],
    now: number,
  ): Promise<{ key: string; thread: StoredThread } | undefined>;
  /** The place that was remembered last in a chat. */
  latestThread(upstream: string, chat: string): Promise<StoredThread | undefined>;
  /**
   * Like `findThread`, but all places of that chat leave the store in the same step: of those who ask at once, for
   * whichever of its names, one gets it.
   */
  takeThread(keys: readonly string[], now: number): Promise<TakenThread | undefined>;
  /** Like `latestThread`, and takes it in the same way. */
  takeLatestThread(upstream: string, chat: string): Promise<TakenThread | undefined>;
  /** The threads of a chat, but not the chat itself: it still has to be deleted. */
  forgetThreads(upstream: string, chat: string): Promise<void>;
  /** Chats of these upstreams whose time has come, the longest overdue first. */
  dueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]>;
  countDueChats(now: number): Promise<number>;
  /** Deleting it failed; it is due again then. */
  postponeChat(upstream: string, chat: string, dueAt: number): Promise<void>;
  /** It is gone upstream: it and its threads are forgotten. */
  removeChat(upstream: string, chat: string): Promise<void>;
  /** Forgets the oldest threads beyond so many. */
  trimThreads(limit: number): Promise<void>;
}

export interface UploadStore {
  /** The upstream's id of a file with this digest that was uploaded later than `since` within the scope. */
  uploadedFile(scope: string, digest: string, since: number): Promise<string | undefined>;
  saveUploadedFile(scope: string, digest: string, id: string, now: number): Promise<void>;
}

/** A file that a client has uploaded; its bytes lie on disk under its id. */
export type StoredFile = {
  id: string;
  /** The name of the key it came with. */
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

/** Which files a list shows. */
export type FileSelection = {
  limit: number;
  /** The id of the file to begin after; an unknown one means from the first. */
  after: string | undefined;
  purpose: string | undefined;
  newestFirst: boolean;
};

export interface FileStore {
  saveFile(file: StoredFile): Promise<void>;
  /** A file of this owner's. */
  file(owner: string, id: string): Promise<StoredFile | undefined>;
  /** The owner's files in the order of their making. */
  files(owner: string, selection: FileSelection): Promise<readonly StoredFile[]>;
  removeFile(owner: string, id: string): Promise<void>;
  /** Over all owners. */
  countFiles(): Promise<{ files: number; bytes: number }>;
}
