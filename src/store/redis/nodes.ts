import { Type } from "@sinclair/typebox";
import type { ChatClaim, ConversationNode, ConversationStore, NodeQuery } from "../../core/store.js";
import type { RedisChats } from "./chats.js";
import type { RedisConnection } from "./connection.js";
import { claimChat, extendClaim, releaseChat } from "./conversations/claims.js";
import {
  conversationKeys,
  encodeNumber,
  runConversationScript,
} from "./conversations/conversation-script.js";
import { findNodes, findPath } from "./conversations/find-nodes.js";
import { knownHashes } from "./conversations/known-hashes.js";
import { encodeChatName, encodeNode } from "./conversations/node-record.js";
import { saveNode } from "./conversations/save-node.js";
import { parseReply } from "./reply.js";

/** Hashes that one script looks up, so that no other call waits long. */
const hashBatch = 100;

type NewNode = Parameters<ConversationStore["saveNode"]>[0];
type ChatReference = Parameters<ConversationStore["saveNode"]>[1];
type Claim = Parameters<ConversationStore["claimChat"]>[0];

/**
 * The nodes of conversations, and the claims of their chats. Every look-up uses an index and reads at most `limit` nodes,
 * however many there are. Claims end by the clock of Redis, whatever those of the processes say.
 */
export class RedisNodes {
  readonly #connection: RedisConnection;
  readonly #chats: RedisChats;

  constructor(connection: RedisConnection, chats: RedisChats) {
    this.#connection = connection;
    this.#chats = chats;
  }

  find(query: NodeQuery, limit: number, now: number): Promise<readonly ConversationNode[]> {
    const by = query.by === "conversation-answer" ? "answer" : query.by;
    const key = query.by === "conversation-answer" ? `${query.answer} ${query.conversation}` : query.hash;
    return runConversationScript(this.#connection, findNodes, { by, key, limit, now });
  }

  findPath(id: number, limit: number, now: number): Promise<readonly ConversationNode[]> {
    return runConversationScript(this.#connection, findPath, { id: encodeNumber(id), limit, now });
  }

  async knownHashes(hashes: readonly string[]): Promise<ReadonlySet<string>> {
    const known = await Promise.all(
      toBatches([...new Set(hashes)]).map((each) =>
        runConversationScript(this.#connection, knownHashes, { hashes: JSON.stringify(each) }),
      ),
    );
    return new Set(known.flat());
  }

  claim({ node, isLine, isLeaf, owner, conversation, until, dueAt, now }: Claim): Promise<boolean> {
    return runConversationScript(this.#connection, claimChat, {
      ...{ id: encodeNumber(node), is_line: isLine ? 1 : 0, is_leaf: isLeaf ? 1 : 0, owner, conversation },
      ...{ duration: until - now, due_at: Math.round(dueAt), now },
    });
  }

  async extendClaim({ owner, ...chat }: ChatClaim, until: number): Promise<void> {
    const values = { name: encodeChatName(chat), owner, duration: until - Date.now() };
    await runConversationScript(this.#connection, extendClaim, values);
  }

  async release({ owner, ...chat }: ChatClaim, end: number | undefined): Promise<void> {
    const end_node = end === undefined ? "" : encodeNumber(end);
    const values = { name: encodeChatName(chat), owner, end_node };
    await runConversationScript(this.#connection, releaseChat, values);
  }

  async save(node: NewNode, chat: ChatReference): Promise<void> {
    const name = encodeChatName(chat);
    await this.#chats.settle(name);
    await runConversationScript(this.#connection, saveNode, { name, ...encodeNode(node) });
  }

  async isAnswerForgotten(answer: string, affinity: string | undefined): Promise<boolean> {
    const member = affinity === undefined ? answer : `${answer} ${affinity}`;
    const reply = await this.#connection.send("ZSCORE", conversationKeys.forgotten, member);
    const parse = (score: unknown) => parseReply(Type.Union([Type.String(), Type.Null()]), score);
    return this.#connection.parse(parse, reply) !== null;
  }
}

function toBatches(hashes: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(hashes.length / hashBatch) }, (_, index) =>
    hashes.slice(index * hashBatch, (index + 1) * hashBatch),
  );
}
