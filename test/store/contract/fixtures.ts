import { limits } from "../../../src/core/limits.js";
import type { ConversationStore, NodeQuery, Store } from "../../../src/core/store.js";

/** Opens a store on a storage; stores of one storage are as those of several processes, or of one that starts again. */
type OpenStore = () => Promise<Store>;

/** Creates an empty storage, which goes with the test; the stores that are opened on it are closed then. */
export type CreateStorage = () => Promise<OpenStore>;

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

/** A claim of a line at this node, from 0 until 50. */
export const claimOf = (node: number, owner = "me") => ({
  node,
  isLine: true,
  owner,
  conversation: `conversation of ${owner}`,
  until: 50,
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
export async function openWithChats(createStorage: CreateStorage, ...names: string[]): Promise<Store> {
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

export async function findIds(
  store: ConversationStore,
  query: NodeQuery,
  limit: number = limits.nodeCandidates,
): Promise<number[]> {
  return (await store.findNodes(query, limit, 0)).map(({ id }) => id);
}
