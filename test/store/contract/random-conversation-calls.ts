import fc from "fast-check";
import type { ConversationStore, NodeQuery } from "../../../src/core/store.js";
import { lasting, type NewNode, over } from "./fixtures.js";

/** A call of a store, which returns what the store does. */
export type StoreCall<Called> = (store: Called) => Promise<unknown>;
type ConversationCall = StoreCall<ConversationStore>;

const chatName = fc.tuple(fc.constantFrom("me", "you"), fc.constantFrom("a", "b", "c"));
const now = fc.nat(12);
const later = fc.nat(30);
const claimEnd = fc.constantFrom(over, lasting);
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

const saveNode = fc.tuple(chatName, newNode).map(([[upstream, chat], node]): ConversationCall => {
  return (store) => store.saveNode(node, { upstream, chat });
});
const saveChat = fc
  .tuple(chatName, fc.constantFrom("s", "t"), later)
  .map(([[upstream, chat], scope, dueAt]): ConversationCall => {
    return (store) => store.saveChat({ upstream, chat, scope, dueAt });
  });
const findNodes = fc.tuple(query, fc.nat(6), now).map(([query, limit, now]): ConversationCall => {
  return (store) => store.findNodes(query, limitFor(query, limit), now);
});
const claimChat = fc
  .record({
    ...{ node: nodeId, isLine: fc.boolean(), isLeaf: fc.boolean(), owner, conversation },
    ...{ until: claimEnd, dueAt: fc.integer({ min: 10, max: 40 }), now },
  })
  .map((claim): ConversationCall => {
    return (store) => store.claimChat(claim);
  });
const releaseChat = fc
  .tuple(chatName, owner, fc.option(nodeId, { nil: undefined }))
  .map(([[upstream, chat], owner, end]): ConversationCall => {
    return (store) => store.releaseChat({ upstream, chat, owner }, end);
  });
/** Calls on chats and conversations, few enough different ones to meet each other. */
export const conversationCall: fc.Arbitrary<ConversationCall> = fc.oneof(
  { weight: 3, arbitrary: saveChat },
  { weight: 6, arbitrary: saveNode },
  { weight: 6, arbitrary: findNodes },
  { weight: 9, arbitrary: claimChat },
  fc.tuple(nodeId, fc.nat(4), now).map((path): ConversationCall => {
    return (store) => store.findPath(...path);
  }),
  fc.array(fc.oneof(path, answer)).map((hashes): ConversationCall => {
    return (store) => store.knownHashes(hashes);
  }),
  fc.tuple(chatName, owner, claimEnd).map(([[upstream, chat], owner, until]): ConversationCall => {
    return (store) => store.extendClaim({ upstream, chat, owner }, until);
  }),
  { weight: 3, arbitrary: releaseChat },
  fc.tuple(chatName, later).map(([name, dueAt]): ConversationCall => {
    return (store) => store.postponeChat(...name, dueAt);
  }),
  fc.tuple(now, fc.nat(4)).map(([now, limit]): ConversationCall => {
    return (store) => store.listDueChats(["me", "you"], now, limit);
  }),
  now.map((now): ConversationCall => {
    return (store) => store.countDueChats(now);
  }),
  now.map((now): ConversationCall => {
    return (store) => store.makeChatsDue(["me"], now);
  }),
  fc.tuple(chatName, now).map(([name, now]): ConversationCall => {
    return (store) => store.detachNodes(...name, now);
  }),
  fc.tuple(chatName, now).map(([name, now]): ConversationCall => {
    return (store) => store.removeChat(...name, now);
  }),
  fc
    .tuple(fc.integer({ min: 4, max: 25 }), now, now)
    .map(([nodes, tombstonesBefore, now]): ConversationCall => {
      return (store) => store.trimNodes({ nodes, forgottenAnswers: 1_000, tombstonesBefore }, now);
    }),
  fc.tuple(answer, fc.constantFrom("session", undefined)).map(([answer, affinity]): ConversationCall => {
    return (store) => store.isAnswerForgotten(answer, affinity);
  }),
);
