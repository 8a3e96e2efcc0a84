import { limits } from "../../../src/core/limits.js";
import type { ConversationNode, ConversationStore, NodeQuery, Store } from "../../../src/core/store.js";

/** Opens a store on a storage; stores of one storage are as those of several processes, or of one that starts again. */
type OpenStore<Opened> = () => Promise<Opened>;

/** Creates an empty storage, which goes with the test; the stores that are opened on it are closed then. */
export type CreateStorage<Opened = Store> = () => Promise<OpenStore<Opened>>;

/** The part of a store that keeps chats and conversations. */
export type OpenConversations = ConversationStore & Pick<Store, "close">;

export type NewNode = Parameters<ConversationStore["saveNode"]>[0];

export const chat = (name: string, dueAt = 100, scope = "s") => ({
  upstream: "me",
  chat: name,
  scope,
  dueAt,
});

/** A node with hashes of its own, except for the given fields. */
export const node = (name: string, fields: Partial<NewNode> = {}): NewNode => ({
  answerId: `id-${name}`,
  conversation: `conversation-${name}`,
  paths: [`path-${name}`],
  messages: [`message-${name}`],
  answers: [`answer-${name}`],
  systemTexts: [],
  system: "",
  ...fields,
});

/**
 * Ends of claims: one that lasts longer than any test, and one that is over at once. A store measures by its own clock how
 * long a claim lasts, so the difference between two times of a test does not let one end.
 */
export const lasting = Date.now() + 3_600_000;
export const over = 0;

/** A lasting claim of a line at this node; its chat is due at 100. */
export const claimOf = (node: number, owner = "me") => ({
  node,
  isLine: true,
  isLeaf: false,
  owner,
  conversation: `conversation of ${owner}`,
  until: lasting,
  dueAt: 100,
  now: 0,
});

/** One query of each kind. */
export const queries: readonly NodeQuery[] = [
  { by: "path", hash: "path-x" },
  { by: "answer", hash: "answer-x" },
  { by: "conversation", hash: "conversation-x" },
  { by: "conversation-answer", conversation: "conversation-x", answer: "answer-x" },
];

/** Opens a store with these chats, all due at 100. */
export async function openWithChats<Opened extends ConversationStore>(
  createStorage: CreateStorage<Opened>,
  ...names: string[]
): Promise<Opened> {
  const open = await createStorage();
  const store = await open();
  for (const name of names) await store.saveChat(chat(name));
  return store;
}

/** Saves the node and returns its id. */
export async function saveNode(store: ConversationStore, chat: string, node: NewNode): Promise<number> {
  await store.saveNode(node, { upstream: "me", chat });
  const [saved] = await store.findNodes({ by: "conversation", hash: node.conversation }, 1, 0);
  if (!saved) throw new Error("The node was not saved.");
  return saved.id;
}

/** The node of this id. */
export async function findNode(
  store: ConversationStore,
  id: number,
  now: number,
): Promise<ConversationNode | undefined> {
  return (await store.findPath(id, 1, now))[0];
}

export async function findIds(
  store: ConversationStore,
  query: NodeQuery,
  limit: number = limits.nodeCandidates,
): Promise<number[]> {
  return (await store.findNodes(query, limit, 0)).map(({ id }) => id);
}
