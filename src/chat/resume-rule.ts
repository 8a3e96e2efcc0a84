import { limits } from "../core/limits.js";
import type { ConversationNode, ConversationStore, NodeChat, NodeQuery } from "../core/store.js";
import { hasAnswerLength } from "./message-hash.js";
import type { HistoryEnd, RequestHistory } from "./request-history.js";

/** The node after which a request continues, and how many of the request's messages are before that point. */
export type Resumption = { node: ConversationNode & { chat: NodeChat }; knownLength: number };

/**
 * `busy`: the conversation that the request names is answering; look again when it has finished. `claimed`: the node that
 * the request continues is in a chat that another turn uses, which may be one of a killed process.
 */
export type ResumeDecision = Resumption | "busy" | "claimed" | undefined;

export type ResumeRule = {
  store: Pick<ConversationStore, "findNodes" | "findPath" | "knownHashes" | "isAnswerForgotten">;
  history: RequestHistory;
  /** The upstream's chats are lines: only the end of a chat can be continued. */
  isLine: boolean;
  /** Whether a history may be recognised by the end of a path. */
  allowWindows: boolean;
  /** Whether to look further instead of returning `claimed`. */
  skipClaimed: boolean;
  now: number;
};

/**
 * Decides where a request continues (architecture.md §5.2). Upstream, only words may be in the context that the request
 * itself contains or that belong to a conversation which it names. So for each prefix of the history that ends with an
 * answer, the longest first, a node is accepted if it is
 * 1. named: it belongs to the conversation that the request names, and its path ends with the prefix;
 * 2. proven: its whole path is the prefix, and only system texts of this request were sent on it;
 * 3. recognised: its path ends with the prefix, whose last answer is long or from the same session, and exactly one
 *    conversation of the principal has this answer, expired ones and those of other upstreams and models included.
 * A request that names a conversation and sends only new messages continues at the conversation's end.
 */
export async function decideResumption(rule: ResumeRule): Promise<ResumeDecision> {
  const { store, history } = rule;
  const { ends, conversation } = history;
  const [longest] = ends;
  // Together, since they may be one round trip; almost always the longest prefix decides.
  const [known, candidatesOfLongest] = await Promise.all([
    ends.length > 1 ? store.knownHashes(ends.flatMap(({ path, answer }) => [path, answer])) : undefined,
    longest && findCandidates(rule, longest, { hasPath: true, hasAnswer: true }),
  ]);
  for (const end of ends) {
    const hasPath = known?.has(end.path) ?? true;
    const hasAnswer = known?.has(end.answer) ?? true;
    const candidates =
      end === longest ? candidatesOfLongest : await findCandidates(rule, end, { hasPath, hasAnswer });
    const decision =
      (candidates && (await findNamed(rule, end, candidates.named))) ||
      (candidates && findProven(rule, end, candidates.proven)) ||
      (hasAnswer && (await findRecognised(rule, end))) ||
      undefined;
    if (decision) return decision;
  }
  const hasAnswers = ends.length > 0;
  return conversation === undefined || hasAnswers ? undefined : findConversationEnd(rule, conversation);
}

/** Whether the named conversation has a node that can be continued, now or once its running turn has finished. */
export async function isConversationAlive({
  store,
  history,
  now,
}: Pick<ResumeRule, "store" | "history" | "now">): Promise<boolean> {
  if (history.conversation === undefined) return false;
  const [end] = await store.findNodes({ by: "conversation", hash: history.conversation }, 1, now);
  return end?.chat !== undefined;
}

/** Nodes of the conversation that the request names with the last answer of a prefix, and nodes whose path is the prefix. */
type Candidates = { named: readonly ConversationNode[]; proven: readonly ConversationNode[] };

async function findCandidates(
  { store, history: { conversation }, now }: ResumeRule,
  { path, answer }: HistoryEnd,
  { hasPath, hasAnswer }: { hasPath: boolean; hasAnswer: boolean },
): Promise<Candidates> {
  const find = (query: NodeQuery) => store.findNodes(query, limits.nodeCandidates, now);
  const [named, proven] = await Promise.all([
    conversation !== undefined && hasAnswer ? find({ by: "conversation-answer", conversation, answer }) : [],
    hasPath ? find({ by: "path", hash: path }) : [],
  ]);
  return { named, proven };
}

async function findNamed(
  rule: ResumeRule,
  end: HistoryEnd,
  nodes: readonly ConversationNode[],
): Promise<ResumeDecision> {
  const exact = nodes.find((node) => node.paths.includes(end.path));
  for (const node of exact ? [exact, ...nodes] : nodes) {
    if (!isAlive(node) || !(node === exact || (await endsWith(rule, node, end)))) continue;
    if (node.chat.answering !== undefined) return "busy";
    if (isFree(rule, node)) return { node, knownLength: end.length };
  }
  return undefined;
}

function findProven(rule: ResumeRule, end: HistoryEnd, nodes: readonly ConversationNode[]): ResumeDecision {
  const ownSystemTexts = new Set(rule.history.systemTexts.values());
  const withOwnSystem = nodes.filter((node) => node.systemTexts.every((text) => ownSystemTexts.has(text)));
  const proven = withOwnSystem.filter((node) => isFree(rule, node));
  const isClaimed = !rule.isLine && withOwnSystem.some(({ chat }) => chat?.answering !== undefined);
  if (proven.length === 0 && isClaimed && !rule.skipClaimed) return "claimed";
  // On a tree any of several is right, and one without children leaves the others to their own clients. On a line
  // another client may rely on each of several.
  if (rule.isLine && (proven.length !== 1 || nodes.length >= limits.nodeCandidates)) return undefined;
  const node = proven.find(({ hasChildren }) => !hasChildren) ?? proven[0];
  return node && isAlive(node) ? { node, knownLength: end.length } : undefined;
}

async function findRecognised(rule: ResumeRule, end: HistoryEnd): Promise<ResumeDecision> {
  const { affinity } = rule.history;
  if (!rule.allowWindows) return undefined;
  if (affinity === undefined && !hasAnswerLength(end.message, limits.identifyingAnswer)) return undefined;
  const nodes = await rule.store.findNodes(
    { by: "answer", hash: end.answer },
    limits.nodeCandidates,
    rule.now,
  );
  if (nodes.length >= limits.nodeCandidates) return undefined;
  // A client that sends a session id always does, so another session's answer is another conversation's.
  const [deepest, ...others] =
    affinity === undefined ? nodes : nodes.filter((node) => node.affinity === affinity);
  if (!deepest || deepest.affinity !== affinity || !isFree(rule, deepest) || !isAlive(deepest))
    return undefined;
  if (deepest.chat.scope !== rule.history.scope) return undefined;
  for (const other of others) if (!(await isAncestor(rule, other.id, deepest))) return undefined;
  if (await rule.store.isAnswerForgotten(end.answer, affinity)) return undefined;
  return (await endsWith(rule, deepest, end)) ? { node: deepest, knownLength: end.length } : undefined;
}

async function findConversationEnd(rule: ResumeRule, conversation: string): Promise<ResumeDecision> {
  const [node] = await rule.store.findNodes({ by: "conversation", hash: conversation }, 1, rule.now);
  if (!node || !isAlive(node)) return undefined;
  if (node.chat.answering !== undefined) return "busy";
  return isFree(rule, node) ? { node, knownLength: 0 } : undefined;
}

function isAlive(node: ConversationNode): node is Resumption["node"] {
  return node.chat !== undefined;
}

/** Whether the node can be continued right now. */
function isFree({ isLine }: ResumeRule, { id, chat }: ConversationNode): boolean {
  if (chat === undefined || chat.answering !== undefined) return false;
  return !isLine || chat.end === id;
}

/** Whether the last messages of the node's path are those of the prefix. */
async function endsWith(rule: ResumeRule, node: ConversationNode, end: HistoryEnd): Promise<boolean> {
  const { messages } = rule.history;
  let index = end.count - 1;
  for await (const current of pathBackFrom(rule, node)) {
    const answer = messages[index];
    if (answer === undefined || !current.answers.includes(answer)) return false;
    index--;
    for (const message of current.messages.toReversed()) {
      if (index < 0) return true;
      if (message !== messages[index]) return false;
      index--;
    }
    if (index < 0) return true;
  }
  return false;
}

/** Whether the node with this id is on the path of another one. Ids ascend along a path. */
async function isAncestor(rule: ResumeRule, id: number, node: ConversationNode): Promise<boolean> {
  for await (const current of pathBackFrom(rule, node)) if (current.id <= id) return current.id === id;
  return false;
}

/** At most `limits.pathTurns` nodes of a path, from this one back; read in batches, since each may be a round trip. */
async function* pathBackFrom(
  { store, now }: ResumeRule,
  node: ConversationNode,
): AsyncGenerator<ConversationNode> {
  yield node;
  let { parent } = node;
  let batch = 4;
  for (let turns = 1; parent !== undefined && turns < limits.pathTurns; ) {
    const nodes = await store.findPath(parent, Math.min(batch, limits.pathTurns - turns), now);
    yield* nodes;
    turns += nodes.length;
    parent = nodes.at(-1)?.parent;
    batch = Math.min(2 * batch, 64);
  }
}
