import { randomUUID } from "node:crypto";
import { limits } from "../core/limits.js";
import { isSystem } from "../core/message-content.js";
import type { ChatClaim, ConversationNode, ConversationStore } from "../core/store.js";
import type { Answer, ChatRequest, Message } from "../core/types.js";
import { abortableSleep } from "../lib/abortable.js";
import { appendToPath } from "./message-hash.js";
import type { Route } from "./model-router.js";
import {
  conversationScope,
  hashConversation,
  hashExactSystem,
  hashRequest,
  type RequestHistory,
} from "./request-history.js";
import {
  decideResumption,
  isConversationAlive,
  type ResumeDecision,
  type Resumption,
} from "./resume-rule.js";

export type ThreadDependencies = {
  store: ConversationStore;
  /** The secret key of all hashes of messages. */
  historyKey: string;
  /** Whether a window of a history may continue a chat; see `chats.windows` in configuration.md. */
  allowWindows: boolean;
  /** For how long a chat is kept after its last turn. */
  chats: { keepHours: number };
  /** Writes a warning to the log; `error` contains no content of the conversation. */
  warn: (message: string, error: unknown) => void;
};

/**
 * Where a request continues: the chat, the upstream's id of the answer before, and the messages to send there. The chat
 * is claimed: no other request uses it until the turn is saved or released.
 */
export type ResumePoint = {
  chat: string;
  parent: string;
  messages: Message[];
  node: ConversationNode;
  /** Messages of the request that the chat already has. */
  knownLength: number;
  claim: ChatClaim;
};

/** Thrown if files of the messages that are to be sent are not uploaded yet; that is done without holding a slot. */
export class UnpreparedError extends Error {}

/**
 * Thrown if the named conversation is answering another request, or its chat still answers upstream; the request waits
 * without holding a slot.
 */
export class ConversationAnsweringError extends Error {}

/**
 * The conversation of one request on one upstream (architecture.md §5): finds and claims the point where it continues, and
 * saves the turn after its answer.
 */
export class Thread {
  readonly #dependencies: ThreadDependencies;
  readonly #request: ChatRequest;
  readonly #upstream: string;
  readonly #isLine: boolean;
  readonly scope: string;
  /** What the client gets as `conversation_id`: the id that it named, else that of the answer. */
  readonly conversationId: string;
  #history: Promise<RequestHistory> | undefined;
  /** What `waitUntilFree` decided, and when on the clock of `performance.now`. */
  #recent: { decision: Resumption | undefined; at: number } | undefined;
  #isStoreUnreadable = false;

  constructor(dependencies: ThreadDependencies, request: ChatRequest, route: Route) {
    this.#dependencies = dependencies;
    this.#request = request;
    this.#upstream = route.upstream.name;
    this.#isLine = route.upstream.chatStructure === "line";
    this.scope = conversationScope(request, route);
    this.conversationId = request.conversation ?? request.responseId ?? randomUUID();
  }

  /** The request's messages as hashes; computed once. */
  history(): Promise<RequestHistory> {
    this.#history ??= hashRequest(this.#dependencies.historyKey, this.scope, this.#request);
    return this.#history;
  }

  /** Whether the store could not be read when the request's conversation was looked up last. */
  get isStoreUnreadable(): boolean {
    return this.#isStoreUnreadable;
  }

  /**
   * Finds the point where the request continues and claims its chat; undefined where the whole history must be sent, as
   * where the store cannot be read. Throws ConversationAnsweringError.
   */
  async claim(): Promise<ResumePoint | undefined> {
    // Another request may claim the same chat between the decision and the claim; then there may be another point.
    for (let attempt = 0; attempt < 3; attempt++) {
      const recent = this.#takeRecent();
      const decision = recent ? recent.decision : await this.#decide({ skipClaimed: true });
      if (decision === "busy") throw new ConversationAnsweringError();
      if (decision === undefined || decision === "claimed") return undefined;
      const claim = await this.#read(() => this.#claim(decision), undefined);
      if (this.#isStoreUnreadable) return undefined;
      if (claim) return this.#resumeAt(decision, claim);
    }
    return undefined;
  }

  /**
   * Resolves when the conversation that the request names is not answering another request. A chat that another
   * conversation uses is waited for only as long as the claim of a killed process lasts. Rejects on abort.
   */
  async waitUntilFree(signal: AbortSignal): Promise<void> {
    const claimEnd = Date.now() + limits.chatClaim;
    for (;;) {
      const decision = await this.#decide({ skipClaimed: Date.now() > claimEnd });
      if (decision !== "busy" && decision !== "claimed") {
        this.#recent = { decision, at: performance.now() };
        return;
      }
      await abortableSleep(limits.chatPoll, signal);
    }
  }

  /** The messages that would have to be sent now; claims nothing. */
  async messagesToSend(): Promise<Message[]> {
    const decision = await this.#decide({ skipClaimed: true });
    if (decision === undefined || typeof decision === "string") return this.#request.messages;
    return this.#messagesAfter(decision);
  }

  /** Whether the request continues a stored conversation here; claims nothing. */
  async isKnown(): Promise<boolean> {
    return (await this.#decide({ skipClaimed: false })) !== undefined || (await this.isConversationAlive());
  }

  /** Whether the conversation that the request names can be continued here. */
  async isConversationAlive(): Promise<boolean> {
    const history = await this.history();
    const { store } = this.#dependencies;
    return this.#read(() => isConversationAlive({ store, history, now: Date.now() }), false);
  }

  /** Saves the turn after its answer, and ends the claim. */
  async save(
    { chat, message, toolState }: { chat: string; message: string; toolState?: string },
    answer: Answer,
    resumePoint: ResumePoint | undefined,
  ): Promise<void> {
    const history = await this.history();
    const { hasher } = history;
    const sent = resumePoint?.messages ?? this.#request.messages;
    const messages = history.messages.slice(
      history.messages.length - sent.filter((each) => !isSystem(each)).length,
    );
    const path = pathBefore(history, resumePoint, messages);
    const answers = await hasher.answer(answer);
    const systemTexts = new Set([
      ...(resumePoint?.node.systemTexts ?? []),
      ...sent.flatMap((message) => history.systemTexts.get(message) ?? []),
    ]);
    await this.#dependencies.store.saveNode(
      {
        answerId: message,
        conversation: hashConversation(hasher, this.scope, this.conversationId),
        paths: answers.map((hash) => appendToPath(path, hash)),
        messages,
        answers,
        systemTexts: [...systemTexts],
        system: await hashExactSystem(hasher, this.#request.messages),
        ...(resumePoint ? { parent: resumePoint.node.id } : {}),
        ...(history.affinity === undefined ? {} : { affinity: history.affinity }),
        ...(toolState === undefined ? {} : { toolState }),
      },
      { upstream: this.#upstream, chat },
    );
  }

  /** Ends a claim without a new turn. `isUnchanged`: nothing was sent, so the chat is as before. */
  async release(resumePoint: ResumePoint, isUnchanged: boolean): Promise<void> {
    const { claim, node } = resumePoint;
    const end = isUnchanged && isAtEnd(resumePoint) ? node.id : undefined;
    await this.#dependencies.store.releaseChat(claim, end);
  }

  /** Extends a claim while its turn runs. Returns a function that stops that. */
  keepClaim({ claim }: ResumePoint): () => void {
    const extend = () => {
      this.#dependencies.store.extendClaim(claim, Date.now() + limits.chatClaim).catch(() => {});
    };
    const timer = setInterval(extend, limits.chatClaim / 3);
    return () => clearInterval(timer);
  }

  /** The chat is gone upstream or cannot be trusted: it is not continued any more. */
  async detach(chat: string): Promise<void> {
    await this.#dependencies.store.detachNodes(this.#upstream, chat, Date.now());
  }

  async #decide({ skipClaimed }: { skipClaimed: boolean }): Promise<ResumeDecision> {
    const { store, allowWindows } = this.#dependencies;
    const history = await this.history();
    if (history.ends.length === 0 && history.conversation === undefined) return undefined;
    const rule = { store, history, isLine: this.#isLine, allowWindows, skipClaimed, now: Date.now() };
    return this.#read(() => decideResumption(rule), undefined);
  }

  /** Reads the store; where that fails, `fallback` counts, so that the request is answered from its own messages. */
  async #read<Result>(read: () => Promise<Result>, fallback: Result): Promise<Result> {
    try {
      const result = await read();
      this.#isStoreUnreadable = false;
      return result;
    } catch (error) {
      this.#isStoreUnreadable = true;
      this.#dependencies.warn("a conversation could not be looked up in the store", error);
      return fallback;
    }
  }

  /**
   * What was decided a moment ago, once. If another request continued the same node since, the claim of a leaf is refused;
   * an older decision, or one on a node that others continued before, is to be made again.
   */
  #takeRecent(): { decision: Resumption | undefined } | undefined {
    const recent = this.#recent;
    this.#recent = undefined;
    if (!recent || performance.now() - recent.at > limits.chatPoll) return undefined;
    return recent.decision?.node.hasChildren ? undefined : recent;
  }

  async #claim({ node }: Resumption): Promise<ChatClaim | undefined> {
    // Two accounts have the same scope if one was renamed and the same Kimi user then logged in under its first name.
    if (node.chat.upstream !== this.#upstream) return undefined;
    const { hasher } = await this.history();
    const now = Date.now();
    const owner = randomUUID();
    const isClaimed = await this.#dependencies.store.claimChat({
      node: node.id,
      isLine: this.#isLine,
      isLeaf: !node.hasChildren,
      owner,
      conversation: hashConversation(hasher, this.scope, this.conversationId),
      until: now + limits.chatClaim,
      dueAt: now + Math.max(limits.answer, this.#dependencies.chats.keepHours * 3_600_000),
      now,
    });
    return isClaimed ? { upstream: this.#upstream, chat: node.chat.chat, owner } : undefined;
  }

  async #resumeAt(resumption: Resumption, claim: ChatClaim): Promise<ResumePoint> {
    const { node, knownLength } = resumption;
    const messages = await this.#messagesAfter(resumption);
    return { chat: node.chat.chat, parent: node.answerId, messages, node, knownLength, claim };
  }

  /** The messages that the chat does not have. System text is sent once, and again when it has changed. */
  async #messagesAfter({ node, knownLength }: Resumption): Promise<Message[]> {
    const { hasher } = await this.history();
    const all = this.#request.messages;
    const [known, unknown] = [all.slice(0, knownLength), all.slice(knownLength)];
    const isSystemKnown = (await hashExactSystem(hasher, known)) === node.system;
    const isAllSystemKnown = !isSystemKnown && (await hashExactSystem(hasher, all)) === node.system;
    const repeated = isSystemKnown || isAllSystemKnown ? [] : known.filter(isSystem);
    return [...repeated, ...(isAllSystemKnown ? unknown.filter((each) => !isSystem(each)) : unknown)];
  }
}

/** Whether the upstream's chat has nothing after the message that the turn continues, as far as is known. */
export function isAtEnd({ node }: ResumePoint): boolean {
  return node.chat?.end === node.id;
}

/** The hash of the path on which the answer follows. */
function pathBefore(
  history: RequestHistory,
  resumePoint: ResumePoint | undefined,
  messages: readonly string[],
): string {
  if (!resumePoint) return history.path;
  const { node, knownLength } = resumePoint;
  const end = history.ends.find(({ length }) => length === knownLength);
  if (end && node.paths.includes(end.path)) return history.path;
  return messages.reduce(appendToPath, node.paths[0] ?? history.path);
}
