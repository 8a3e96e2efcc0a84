import type {
  ChatClaim,
  ChatPage,
  ChatSelection,
  ConversationNode,
  ConversationStore,
  NodeQuery,
  StoredChat,
  TrimLimits,
} from "../../core/store.js";
import { RedisChats } from "./chats.js";
import type { RedisConnection } from "./connection.js";
import { RedisNodeTrimmer } from "./node-trimmer.js";
import { RedisNodes } from "./nodes.js";

/** Chats and conversations in Redis. Each call that changes something is one step, except for `trimNodes` and `makeChatsDue`. */
export class RedisConversations implements ConversationStore {
  readonly #chats: RedisChats;
  readonly #nodes: RedisNodes;
  readonly #nodeTrimmer: RedisNodeTrimmer;

  constructor(connection: RedisConnection) {
    this.#chats = new RedisChats(connection);
    this.#nodes = new RedisNodes(connection, this.#chats);
    this.#nodeTrimmer = new RedisNodeTrimmer(connection);
  }

  saveChat(chat: Omit<StoredChat, "attempts">): Promise<void> {
    return this.#chats.save(chat);
  }

  listDueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]> {
    return this.#chats.listDue(upstreams, now, limit);
  }

  countDueChats(now: number): Promise<number> {
    return this.#chats.countDue(now);
  }

  listChats(selection: ChatSelection): Promise<ChatPage> {
    return this.#chats.list(selection);
  }

  findChat(upstream: string, chat: string): Promise<StoredChat | undefined> {
    return this.#chats.find(upstream, chat);
  }

  makeChatsDue(upstreams: readonly string[], now: number): Promise<number> {
    return this.#chats.makeDue(upstreams, now);
  }

  postponeChat(upstream: string, chat: string, dueAt: number): Promise<void> {
    return this.#chats.postpone(upstream, chat, dueAt);
  }

  removeChat(upstream: string, chat: string, now: number): Promise<void> {
    return this.#chats.remove(upstream, chat, now);
  }

  detachNodes(upstream: string, chat: string, now: number): Promise<void> {
    return this.#chats.detachNodes(upstream, chat, now);
  }

  findNodes(query: NodeQuery, limit: number, now: number): Promise<readonly ConversationNode[]> {
    return this.#nodes.find(query, limit, now);
  }

  findPath(id: number, limit: number, now: number): Promise<readonly ConversationNode[]> {
    return this.#nodes.findPath(id, limit, now);
  }

  knownHashes(hashes: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#nodes.knownHashes(hashes);
  }

  claimChat(claim: Parameters<ConversationStore["claimChat"]>[0]): Promise<boolean> {
    return this.#nodes.claim(claim);
  }

  extendClaim(claim: ChatClaim, until: number): Promise<void> {
    return this.#nodes.extendClaim(claim, until);
  }

  releaseChat(claim: ChatClaim, end?: number): Promise<void> {
    return this.#nodes.release(claim, end);
  }

  saveNode(...[node, chat]: Parameters<ConversationStore["saveNode"]>): Promise<void> {
    return this.#nodes.save(node, chat);
  }

  isAnswerForgotten(answer: string, affinity: string | undefined): Promise<boolean> {
    return this.#nodes.isAnswerForgotten(answer, affinity);
  }

  trimNodes(limits: TrimLimits, now: number): Promise<void> {
    return this.#nodeTrimmer.trim(limits, now);
  }
}
