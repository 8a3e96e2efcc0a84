import fc from "fast-check";
import type { NodeQuery, Store } from "../../../src/core/store.js";
import type { NewNode } from "./fixtures.js";

/** A call of a store, which returns what the store does. */
export type StoreCall = (store: Store) => Promise<unknown>;

const chatName = fc.tuple(fc.constantFrom("me", "you"), fc.constantFrom("a", "b", "c"));
const now = fc.nat(12);
const later = fc.nat(30);
const nodeId = fc.integer({ min: 1, max: 25 });
const conversation = fc.constantFrom("c", "d");
const owner = fc.constantFrom("o", "p");
const hashes = (prefix: string, minLength: number) =>
  fc.array(
    fc.nat(5).map((n) => `${prefix}-${n}`),
    { minLength, maxLength: 2 },
  );
const newNode: fc.Arbitrary<NewNode> = fc.record(
  {
    answerId: fc.string(),
    parent: nodeId,
    conversation,
    paths: hashes("path", 1),
    messages: hashes("message", 0),
    answers: hashes("answer", 1),
    systemTexts: hashes("system", 0),
    system: fc.constantFrom("", "system"),
    affinity: fc.constantFrom("session"),
    toolState: fc.string(),
  },
  {
    requiredKeys: ["answerId", "conversation", "paths", "messages", "answers", "systemTexts", "system"],
  },
);
const hash = (prefix: string) => fc.nat(5).map((n) => `${prefix}-${n}`);
const [path, answer] = [hash("path"), hash("answer")];
const query: fc.Arbitrary<NodeQuery> = fc.oneof(
  fc.record({ by: fc.constant("path" as const), hash: path }),
  fc.record({ by: fc.constant("answer" as const), hash: answer }),
  fc.record({ by: fc.constant("conversation" as const), hash: conversation }),
  fc.record({
    by: fc.constant("conversation-answer" as const),
    conversation,
    answer,
  }),
);
// With a limit, any of the nodes with an answer will do.
const limitFor = ({ by }: NodeQuery, limit: number) => (by === "answer" ? 1_000 : limit);

const saveNode = fc.tuple(chatName, newNode).map(([[upstream, chat], node]): StoreCall => {
  return (store) => store.saveNode(node, { upstream, chat });
});
const saveChat = fc
  .tuple(chatName, fc.constantFrom("s", "t"), later)
  .map(([[upstream, chat], scope, dueAt]): StoreCall => {
    return (store) => store.saveChat({ upstream, chat, scope, dueAt });
  });
const findNodes = fc.tuple(query, fc.nat(6), now).map(([query, limit, now]): StoreCall => {
  return (store) => store.findNodes(query, limitFor(query, limit), now);
});
const claimChat = fc
  .record({ node: nodeId, isLine: fc.boolean(), owner, conversation, until: later, now })
  .map((claim): StoreCall => {
    return (store) => store.claimChat(claim);
  });
/** Calls on chats and conversations, few enough different ones to meet each other. */
export const conversationCall: fc.Arbitrary<StoreCall> = fc.oneof(
  { weight: 3, arbitrary: saveChat },
  { weight: 6, arbitrary: saveNode },
  { weight: 6, arbitrary: findNodes },
  { weight: 6, arbitrary: claimChat },
  fc.tuple(nodeId, now).map(([id, now]): StoreCall => {
    return (store) => store.findNode(id, now);
  }),
  fc.array(fc.oneof(path, answer)).map((hashes): StoreCall => {
    return (store) => store.knownHashes(hashes);
  }),
  fc.tuple(chatName, owner, later).map(([[upstream, chat], owner, until]): StoreCall => {
    return (store) => store.extendClaim({ upstream, chat, owner }, until);
  }),
  fc
    .tuple(chatName, owner, fc.option(nodeId, { nil: undefined }))
    .map(([[upstream, chat], owner, end]): StoreCall => {
      return (store) => store.releaseChat({ upstream, chat, owner }, end);
    }),
  fc.tuple(chatName, later).map(([name, dueAt]): StoreCall => {
    return (store) => store.postponeChat(...name, dueAt);
  }),
  fc.tuple(now, fc.nat(4)).map(([now, limit]): StoreCall => {
    return (store) => store.listDueChats(["me", "you"], now, limit);
  }),
  now.map((now): StoreCall => {
    return (store) => store.countDueChats(now);
  }),
  now.map((now): StoreCall => {
    return (store) => store.makeChatsDue(["me"], now);
  }),
  fc.tuple(chatName, now).map(([name, now]): StoreCall => {
    return (store) => store.detachNodes(...name, now);
  }),
  fc.tuple(chatName, now).map(([name, now]): StoreCall => {
    return (store) => store.removeChat(...name, now);
  }),
  fc.tuple(fc.integer({ min: 4, max: 25 }), now, now).map(([nodes, tombstonesBefore, now]): StoreCall => {
    return (store) => store.trimNodes({ nodes, forgottenAnswers: 1_000, tombstonesBefore }, now);
  }),
  fc.tuple(answer, fc.constantFrom("session", undefined)).map(([answer, affinity]): StoreCall => {
    return (store) => store.isAnswerForgotten(answer, affinity);
  }),
);
