import type { CapabilityStore } from "./capabilities.js";
import type { JournalStore } from "./journal.js";
import type { KimiSite } from "./kimi-site.js";
import type { SessionStore } from "./session.js";
import type { SharedBuckets } from "./shared-buckets.js";
import type { SharedSlots } from "./shared-slots.js";
import type { TokenPair } from "./token.js";
import type { Principal } from "./types.js";

/** Persistent state. Each part is changed by one module only. Times are milliseconds since the epoch. */
export interface Store
  extends CredentialStore,
    KeyStore,
    KeyUsageStore,
    ConversationStore,
    ResponseStore,
    UploadStore,
    FileStore {
  readonly journal: JournalStore;
  readonly sessions: SessionStore;
  readonly capabilities: CapabilityStore;
  /** For a copy of the store. */
  readonly index: StoreIndex;
  /** What processes on several machines share; undefined for a store whose processes have slots and buckets of their own. */
  readonly slots: SharedSlots | undefined;
  readonly buckets: SharedBuckets | undefined;
  /** The names of the accounts with stored credentials. */
  listAccounts(): Promise<readonly string[]>;
  /** Removes the stored credentials of an account; false if it has none. */
  removeCredentials(account: string): Promise<boolean>;
  /** Of a store on a server; undefined for one in this process. */
  readonly traffic: StoreTraffic | undefined;
  /** Whether the store answers now, in seconds at most. */
  isReachable(): Promise<boolean>;
  /**
   * Gives an account with stored credentials another name, in one step: its credentials, which note the first name, and its
   * chats with their nodes. False, and nothing changes, if `from` has no credentials or `to` has some.
   */
  renameAccount(from: string, to: string): Promise<boolean>;
  /** Sentences for the log about what opening the store has changed. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** What is in a store, as far as the other calls need to be told it. */
export interface StoreIndex {
  /** The server's secrets by name. */
  listSecrets(): Promise<ReadonlyMap<string, string>>;
  /** The owners of uploaded files. */
  listFileOwners(): Promise<readonly string[]>;
  /** The accounts of which capabilities are known, as hashes. */
  listCapabilityAccounts(): Promise<readonly string[]>;
  /** The stored responses; each comes after the one that it continues. */
  listResponses(): Promise<readonly Pick<StoredResponse, "owner" | "id">[]>;
  /** The ids of nodes after this one, ascending, at most `limit`. */
  listNodes(after: number, limit: number): Promise<readonly number[]>;
}
/** What a process has asked of the store's server since it was opened. `refusedLocks`: another process held them. */
export type StoreTraffic = { roundTrips: number; refusedLocks: number };

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
  /** The account's first name, if it was renamed since: its conversations are found by that. */
  firstName?: string;
};

/** The credentials of accounts, and locks between processes. */
export interface CredentialStore {
  /** Whether other machines use it, too: where it fails for this one, another may hold the lock. */
  readonly isShared: boolean;
  /** The credentials of an account; undefined if none were saved. */
  findCredentials(account: string): Promise<StoredCredentials | undefined>;
  /**
   * Resolves to true when the credentials are durable. `fence`: the token of the lock under which they were obtained. False,
   * and nothing is saved, if credentials were saved since it was acquired: under a later lock, or without a fence.
   */
  saveCredentials(account: string, credentials: StoredCredentials, fence?: number): Promise<boolean>;
  /**
   * Acquires the named lock for `owner` until `until`, or extends it; undefined while another owner holds it. An expired
   * lock can be acquired by anyone, so that a killed process does not block others for long. Resolves to a token that is
   * higher than that of every owner before.
   */
  acquireLock(name: string, owner: string, until: number): Promise<number | undefined>;
  /** Releases the lock if this owner still holds it. */
  releaseLock(name: string, owner: string): Promise<void>;
}

/** The settings of an API key. */
export type KeySettings = Omit<Principal, "keyName"> & {
  requestsPerMinute?: number;
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
  updateKey(name: string, settings: KeySettings): Promise<boolean>;
  /** Also forgets what the key has used. False if there is none of this name. */
  removeKey(name: string): Promise<boolean>;
  /** A named secret of the server, created once by `generate` and then the same for all processes. */
  getOrCreateSecret(name: string, generate: () => string): Promise<string>;
}

/** What a key has used on one day. */
export type KeyUsage = { requests: number; tokens: number };

/** What API keys with a budget have used, by name and day (`2026-12-31`); kept for a week, and until the key is removed. */
export interface KeyUsageStore {
  /**
   * Counts one more request, unless so many requests or tokens of the day are used already; in one step, so that several
   * processes share a budget. Resolves to what is used up, if something is.
   */
  countRequest(key: string, day: string, budget: Partial<KeyUsage>): Promise<keyof KeyUsage | undefined>;
  addTokens(key: string, day: string, tokens: number): Promise<void>;
  findKeyUsage(key: string, day: string): Promise<KeyUsage>;
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

/** At most `limit` chats, those that were stored before the one of number `before`; of one upstream or of all. */
export type ChatSelection = { upstream?: string | undefined; before?: number | undefined; limit: number };

/** `turns`: the nodes of the chat; `total`: chats on all pages; `next`: where the next page begins. */
export type ChatPage = {
  chats: readonly (StoredChat & { turns: number })[];
  total: number;
  next: number | undefined;
};

/** The upstream chat of a node, while the node can be continued there. */
export type NodeChat = {
  upstream: string;
  chat: string;
  /** That of the stored chat. */
  scope: string;
  /** The id of the node at the chat's end; undefined while a turn runs there, or if a turn left something that no node has. */
  end?: number;
  /** The conversation whose turn is running in the chat. */
  answering?: string;
};

/**
 * A finished turn of a conversation (architecture.md §5.1). Texts are stored as keyed hashes only. A node without `chat` is
 * a tombstone: its chat is gone or due for deletion, and the node only counts when it is decided whether an answer is unique.
 */
export type ConversationNode = {
  /** Ascending: later nodes have higher ids. */
  id: number;
  chat?: NodeChat;
  /** The upstream's id of the answer. */
  answerId: string;
  /** The node after which this turn continued. */
  parent?: number;
  conversation: string;
  /** Hashes of the whole path up to this answer, one for each form in which a client may send the answer back. */
  paths: readonly string[];
  /** Hashes of the messages that were sent upstream in this turn, in order, without system messages. */
  messages: readonly string[];
  /** Hashes of the answer, one for each form. */
  answers: readonly string[];
  /** Hashes of all system texts that were sent on the path, with clock values masked. */
  systemTexts: readonly string[];
  /** Hash of the system text of this turn's request, exact; empty if it had none. */
  system: string;
  /** Hash of the client's session id, if it sent one. */
  affinity?: string;
  /** What the model was told of functions on the path (chat/tools/tool-state.ts), if anything. */
  toolState?: string;
  /** Whether another node continues after this one. */
  hasChildren: boolean;
};

/** Selects nodes by one of their hashes. A path and a conversation are those of one scope, an answer of one principal. */
export type NodeQuery =
  | { by: "path" | "answer" | "conversation"; hash: string }
  | { by: "conversation-answer"; conversation: string; answer: string };

/** The exclusive use of a chat by one turn. `owner` is unique to the turn. */
export type ChatClaim = { upstream: string; chat: string; owner: string };

/** The chats that were created on upstreams, and the conversations inside them. */
export interface ConversationStore {
  /** Stores a new chat, or changes when a stored one is due. */
  saveChat(chat: Omit<StoredChat, "attempts">): Promise<void>;
  /** Due chats of these upstreams, the longest overdue first. */
  listDueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]>;
  countDueChats(now: number): Promise<number>;
  /** The stored chats, those made last first. */
  listChats(selection: ChatSelection): Promise<ChatPage>;
  findChat(upstream: string, chat: string): Promise<StoredChat | undefined>;
  /** Makes all chats of these upstreams due now, except those that a turn is using. Resolves to the number of those changed. */
  makeChatsDue(upstreams: readonly string[], now: number): Promise<number>;
  /** After a failed deletion: increments `attempts` and sets the next due time. */
  postponeChat(upstream: string, chat: string, dueAt: number): Promise<void>;
  /** Removes a chat that is gone upstream; its nodes become tombstones at `now`. */
  removeChat(upstream: string, chat: string, now: number): Promise<void>;
  /** The matching nodes, newest first, at most `limit`; of more than that with one answer it is not said which. */
  findNodes(query: NodeQuery, limit: number, now: number): Promise<readonly ConversationNode[]>;
  /** The node of this id and those before it on its path, the newest first, at most `limit`; empty if there is none. */
  findPath(id: number, limit: number, now: number): Promise<readonly ConversationNode[]>;
  /** Which of these hashes are a path or an answer of some node. */
  knownHashes(hashes: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Claims the chat of a node from `now` until `until` in one step, and makes it due at `dueAt`. False if the chat is gone,
   * due or claimed, if `isLine` and the node is not at its end, or if `isLeaf` and another node continues after it. While
   * claimed, a chat has no end. How long a claim lasts may be measured by another clock than the caller's.
   */
  claimChat(claim: {
    node: number;
    isLine: boolean;
    isLeaf: boolean;
    owner: string;
    conversation: string;
    until: number;
    dueAt: number;
    now: number;
  }): Promise<boolean>;
  /** Extends a claim, so that it outlives only a killed process. */
  extendClaim(claim: ChatClaim, until: number): Promise<void>;
  /** Ends a claim without a new node. `end`: the node that is still at the chat's end, if nothing was sent. */
  releaseChat(claim: ChatClaim, end?: number): Promise<void>;
  /** Saves a finished turn, makes it the end of its chat and ends any claim, in one step. Nothing for an unknown chat. */
  saveNode(node: Omit<ConversationNode, "id" | "chat" | "hasChildren">, chat: ChatReference): Promise<void>;
  /** Turns all nodes of a chat into tombstones at `now`; the chat itself must still be deleted upstream. */
  detachNodes(upstream: string, chat: string, now: number): Promise<void>;
  /**
   * Whether a node with this answer was removed because the store was full, and not longer ago than a tombstone lasts:
   * then the answer identifies no conversation. With `affinity`, only a node of that session counts.
   */
  isAnswerForgotten(answer: string, affinity: string | undefined): Promise<boolean>;
  /** Removes what is older or more than the limits; the answers of the nodes beyond `nodes` are forgotten at `now`. */
  trimNodes(limits: TrimLimits, now: number): Promise<void>;
}

/** What a store keeps of conversations; the oldest of what is beyond goes first. */
export type TrimLimits = {
  nodes: number;
  forgottenAnswers: number;
  /** Tombstones and forgotten answers of before this time are removed. */
  tombstonesBefore: number;
};

type ChatReference = { upstream: string; chat: string };

/** An answer that its client can name by its id, and go on from. */
export type StoredResponse = {
  id: string;
  /** The name of the API key whose answer it is. */
  owner: string;
  /** The stored answer that it continues. */
  previous?: string;
  /** The answer and its request, sealed. */
  body: string;
  expiresAt: number;
};

/** Answers by their ids; at most `limits.storedResponses`, those that expire first are removed for others. */
export interface ResponseStore {
  /** Saves an answer. Those that it continues are kept for as long as itself. Removes what has expired at `now`. */
  saveResponse(response: StoredResponse, now: number): Promise<void>;
  /**
   * The owner's answer of this id, then the one that it continues, and so on: at most `limit`, and no further ones beyond
   * so many `bytes`. Empty if there is none.
   */
  findResponses(
    owner: string,
    id: string,
    most: { limit: number; bytes: number },
    now: number,
  ): Promise<readonly StoredResponse[]>;
  /** False if the owner has no answer of this id. */
  removeResponse(owner: string, id: string): Promise<boolean>;
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
