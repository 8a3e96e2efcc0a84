import type {
  ChatPage,
  ChatSelection,
  ConversationNode,
  ConversationStore,
  NodeQuery,
  StoredChat,
  TrimLimits,
} from "../../src/core/store.js";

type ChatName = { upstream: string; chat: string };
type InMemoryChat = StoredChat & {
  number: number;
  end?: number | undefined;
  claim?: { owner: string; conversation: string; until: number } | undefined;
};
type InMemoryNode = Omit<ConversationNode, "chat"> & { chat: InMemoryChat | undefined; endedAt?: number };
type ForgottenAnswer = { answer: string; affinity: string; forgottenAt: number };

type Claim = Parameters<ConversationStore["claimChat"]>[0];
type Owner = Parameters<ConversationStore["releaseChat"]>[0];

/** Chats and conversation nodes; the stores of one storage share them. */
export type ConversationData = {
  chats: InMemoryChat[];
  /** Oldest first. */
  nodes: InMemoryNode[];
  /** Oldest first. */
  forgotten: ForgottenAnswer[];
};

/** The part of the in-memory store that keeps chats and conversation nodes. */
export abstract class InMemoryConversations implements ConversationStore {
  /** Throws if the store is closed. */
  protected abstract get data(): ConversationData;

  async saveChat(chat: Omit<StoredChat, "attempts">): Promise<void> {
    const known = this.#findChat(chat);
    const number = (this.data.chats.at(-1)?.number ?? 0) + 1;
    if (!known) this.data.chats.push({ ...chat, number, attempts: 0 });
    else if (known.scope === chat.scope) Object.assign(known, { dueAt: chat.dueAt, attempts: 0 });
  }

  async listDueChats(
    upstreams: readonly string[],
    now: number,
    limit: number,
  ): Promise<readonly StoredChat[]> {
    return this.data.chats
      .filter(({ upstream, dueAt }) => upstreams.includes(upstream) && dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit)
      .map(withoutClaim);
  }

  async listChats({ upstream, before = Number.POSITIVE_INFINITY, limit }: ChatSelection): Promise<ChatPage> {
    const all = this.data.chats.filter((each) => upstream === undefined || each.upstream === upstream);
    const found = all.filter((each) => each.number < before).reverse();
    const page = found.slice(0, limit);
    const chats = page.map((each) => ({
      ...withoutClaim(each),
      turns: this.data.nodes.filter((node) => node.chat === each).length,
    }));
    const next = found.length > limit ? page.at(-1)?.number : undefined;
    return { chats, total: all.length, next };
  }

  async findChat(upstream: string, chat: string): Promise<StoredChat | undefined> {
    const known = this.#findChat({ upstream, chat });
    return known && withoutClaim(known);
  }

  async countDueChats(now: number): Promise<number> {
    return this.data.chats.filter(({ dueAt }) => dueAt <= now).length;
  }

  async makeChatsDue(upstreams: readonly string[], now: number): Promise<number> {
    const changed = this.data.chats.filter(
      ({ upstream, dueAt, claim }) =>
        upstreams.includes(upstream) && dueAt > now && (claim === undefined || claim.until <= now),
    );
    for (const chat of changed) Object.assign(chat, { dueAt: now, attempts: 0 });
    return changed.length;
  }

  async postponeChat(upstream: string, chat: string, dueAt: number): Promise<void> {
    const known = this.#findChat({ upstream, chat });
    if (known) Object.assign(known, { dueAt, attempts: known.attempts + 1 });
  }

  async removeChat(upstream: string, chat: string, now: number): Promise<void> {
    await this.detachNodes(upstream, chat, now);
    this.data.chats = this.data.chats.filter((known) => !isSameChat(known, { upstream, chat }));
  }

  async findNodes(query: NodeQuery, limit: number, now: number): Promise<readonly ConversationNode[]> {
    const found = this.data.nodes.filter((node) => matches(node, query)).reverse();
    return found.slice(0, limit).map((node) => toNode(node, now));
  }

  async findPath(id: number, limit: number, now: number): Promise<readonly ConversationNode[]> {
    const node = this.data.nodes.find((each) => each.id === id);
    if (!node || limit === 0) return [];
    const before = node.parent === undefined ? [] : await this.findPath(node.parent, limit - 1, now);
    return [toNode(node, now), ...before];
  }

  async knownHashes(hashes: readonly string[]): Promise<ReadonlySet<string>> {
    const stored = new Set(this.data.nodes.flatMap(({ paths, answers }) => [...paths, ...answers]));
    return new Set(hashes.filter((hash) => stored.has(hash)));
  }

  async claimChat(claim: Claim): Promise<boolean> {
    const { owner, conversation, until, dueAt, now } = claim;
    const node = this.data.nodes.find(({ id }) => id === claim.node);
    const chat = node?.chat;
    const isClaimed = chat?.claim !== undefined && chat.claim.until > now;
    if (!chat || chat.dueAt <= now || isClaimed || (claim.isLine && chat.end !== node.id)) return false;
    if (claim.isLeaf && node.hasChildren) return false;
    Object.assign(chat, { claim: { owner, conversation, until }, dueAt, attempts: 0, end: undefined });
    return true;
  }

  async extendClaim(claim: Owner, until: number): Promise<void> {
    const chat = this.#findClaimed(claim);
    if (chat?.claim) chat.claim.until = until;
  }

  async releaseChat(claim: Owner, end?: number): Promise<void> {
    const chat = this.#findClaimed(claim);
    if (chat) Object.assign(chat, { claim: undefined, end: end ?? chat.end });
  }

  async saveNode(...[node, name]: Parameters<ConversationStore["saveNode"]>): Promise<void> {
    const chat = this.#findChat(name);
    if (!chat) return;
    const id = (this.data.nodes.at(-1)?.id ?? 0) + 1;
    this.data.nodes.push({ ...node, id, chat, hasChildren: false });
    const parent = this.data.nodes.find(({ id }) => id === node.parent);
    if (parent) parent.hasChildren = true;
    Object.assign(chat, { end: id, claim: undefined });
  }

  async detachNodes(upstream: string, chat: string, now: number): Promise<void> {
    for (const node of this.data.nodes)
      if (node.chat && isSameChat(node.chat, { upstream, chat }))
        Object.assign(node, { chat: undefined, endedAt: now });
  }

  async isAnswerForgotten(answer: string, affinity: string | undefined): Promise<boolean> {
    return this.data.forgotten.some(
      (forgotten) =>
        forgotten.answer === answer && (affinity === undefined || forgotten.affinity === affinity),
    );
  }

  async trimNodes({ nodes, forgottenAnswers, tombstonesBefore }: TrimLimits, now: number): Promise<void> {
    this.data.nodes = this.data.nodes.filter(
      ({ endedAt }) => endedAt === undefined || endedAt >= tombstonesBefore,
    );
    const removed = this.data.nodes.splice(0, Math.max(0, this.data.nodes.length - nodes));
    for (const { answers, affinity = "" } of removed)
      for (const answer of answers) this.#forget({ answer, affinity, forgottenAt: now });
    this.data.forgotten = this.data.forgotten.filter(({ forgottenAt }) => forgottenAt >= tombstonesBefore);
    this.data.forgotten.splice(0, Math.max(0, this.data.forgotten.length - forgottenAnswers));
  }

  #forget(forgotten: ForgottenAnswer): void {
    const isOther = ({ answer, affinity }: ForgottenAnswer) =>
      answer !== forgotten.answer || affinity !== forgotten.affinity;
    this.data.forgotten = [...this.data.forgotten.filter(isOther), forgotten];
  }

  #findChat(name: ChatName): InMemoryChat | undefined {
    return this.data.chats.find((known) => isSameChat(known, name));
  }

  #findClaimed({ owner, ...name }: Owner): InMemoryChat | undefined {
    const chat = this.#findChat(name);
    return chat?.claim?.owner === owner ? chat : undefined;
  }
}

function isSameChat(a: ChatName, b: ChatName): boolean {
  return a.upstream === b.upstream && a.chat === b.chat;
}

function matches({ paths, answers, conversation }: InMemoryNode, query: NodeQuery): boolean {
  switch (query.by) {
    case "path":
      return paths.includes(query.hash);
    case "answer":
      return answers.includes(query.hash);
    case "conversation":
      return conversation === query.hash;
    case "conversation-answer":
      return conversation === query.conversation && answers.includes(query.answer);
  }
}

/** The node as it is seen at this time: without its chat if that is due, and without a claim that has expired. */
function toNode({ chat, endedAt: _, ...node }: InMemoryNode, now: number): ConversationNode {
  if (!chat || chat.dueAt <= now) return node;
  const { upstream, chat: name, scope, end, claim } = chat;
  return {
    ...node,
    chat: {
      upstream,
      chat: name,
      scope,
      ...(end === undefined ? {} : { end }),
      ...(claim && claim.until > now ? { answering: claim.conversation } : {}),
    },
  };
}

function withoutClaim({ upstream, chat, scope, dueAt, attempts }: InMemoryChat): StoredChat {
  return { upstream, chat, scope, dueAt, attempts };
}
