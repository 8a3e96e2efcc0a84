import type { ClaimedThread, StoredThread, ThreadStore } from "../core/store.js";
import type { ChatRequest, Message } from "../core/types.js";
import { hash } from "../lib/hash.js";
import { TimeSlicer } from "../lib/time-slicing.js";
import { HistoryHash, hashSystemText, isResolved } from "./history-hash.js";
import type { Route } from "./model-router.js";

/** How many answers of a history are looked up, latest first; if none of them is known, the whole history is sent. */
const maxSearchedEnds = 200;

/**
 * Where a request continues: the chat, the upstream's id of the last known answer (`parent`), and the messages to send
 * after it. `claimed`: only for a linear chat, whose end can be used by one request only.
 */
export type ResumePoint = { chat: string; parent: string; messages: Message[]; claimed?: ClaimedThread };

/** `ends`: for each answer with a message after it, the history hash up to it (`key`) and the number of messages. */
type HistoryKeys = { historyHash: HistoryHash; ends: { key: string; length: number }[] };

/**
 * The stored conversations within one scope: principal, upstream, account and the model's scope. Finds the resume point
 * of a request by the hash of its history, and saves the one after its answer (docs/decisions/0003-chats-as-trees.md).
 */
export class Thread {
  readonly #store: ThreadStore;
  readonly #request: ChatRequest;
  readonly #upstream: string;
  readonly #isLine: boolean;
  readonly scope: string;
  #historyKeys: Promise<HistoryKeys> | undefined;

  constructor(store: ThreadStore, request: ChatRequest, { upstream, model }: Route) {
    this.#store = store;
    this.#request = request;
    this.#upstream = upstream.name;
    this.#isLine = upstream.chatStructure === "line";
    this.scope = hash(
      request.principal.keyName,
      upstream.name,
      upstream.accountId(),
      model.conversationScope,
    );
  }

  /**
   * The resume point after the longest known prefix of the history, else the end of the named conversation, else
   * undefined. A linear chat has only its end, which is claimed: a second request for it finds nothing.
   */
  async find(): Promise<ResumePoint | undefined> {
    return (await this.#findByHistory()) ?? (await this.#findByConversation());
  }

  /**
   * The answers in the history that are followed by another message, last first: history hash (`key`) and number of
   * messages up to it (`length`).
   */
  async historyEnds(): Promise<HistoryKeys["ends"]> {
    return (await this.#getHistoryKeys()).ends.slice(0, maxSearchedEnds);
  }

  /** Whether a stored conversation matches the history or the named conversation; claims nothing. */
  async isKnown(): Promise<boolean> {
    const { conversation } = this.#request;
    const keys = (await this.historyEnds()).map(({ key }) => key);
    if (await this.#store.findThread(keys, Date.now())) return true;
    if (!conversation) return false;
    return (await this.#store.findChat(this.#upstream, conversation, this.scope, Date.now())) !== undefined;
  }

  /** Saves the resume point after a finished answer and returns the history hashes it is found by. */
  async save(chat: string, answer: string, text: string, reasoning: string): Promise<readonly string[]> {
    const system = await hashSystemText(this.#request.messages);
    const thread: StoredThread = { upstream: this.#upstream, chat, parent: answer, system };
    const { historyHash } = await this.#getHistoryKeys();
    const keys = await historyHash.answerKeys(text, reasoning);
    await this.#store.saveThread(keys, thread);
    return keys;
  }

  /** Stores a claimed resume point again, if it was not used. */
  async release({ claimed }: ResumePoint): Promise<void> {
    if (claimed) await this.#store.saveThread(claimed.keys, claimed.thread);
  }

  /** Removes all resume points of a chat that cannot be continued. */
  async removeResumePoints(chat: string): Promise<void> {
    await this.#store.removeThreads(this.#upstream, chat);
  }

  async #findByHistory(): Promise<ResumePoint | undefined> {
    const ends = await this.historyEnds();
    if (ends.length === 0) return undefined;
    const keys = ends.map(({ key }) => key);
    if (!this.#isLine) {
      const found = await this.#store.findThread(keys, Date.now());
      const end = ends.find(({ key }) => key === found?.key);
      return found && end && this.#resumeAt(found.thread, end.length);
    }
    const claimed = await this.#store.claimThread(keys, Date.now());
    const end = ends.find(({ key }) => claimed?.keys.includes(key));
    return claimed && end && { ...(await this.#resumeAt(claimed.thread, end.length)), claimed };
  }

  /** Computed once for each request. */
  #getHistoryKeys(): Promise<HistoryKeys> {
    this.#historyKeys ??= hashHistory(this.scope, this.#request.messages);
    return this.#historyKeys;
  }

  async #findByConversation(): Promise<ResumePoint | undefined> {
    const { conversation, messages } = this.#request;
    if (!conversation) return undefined;
    if (!(await this.#store.findChat(this.#upstream, conversation, this.scope, Date.now()))) return undefined;
    const lastAnswer = messages.findLastIndex(({ role }) => role === "assistant");
    if (lastAnswer === messages.length - 1) return undefined;
    if (!this.#isLine) {
      const thread = await this.#store.findLatestThread(this.#upstream, conversation);
      return thread && this.#resumeAt(thread, lastAnswer + 1);
    }
    const claimed = await this.#store.claimLatestThread(this.#upstream, conversation);
    return claimed && { ...(await this.#resumeAt(claimed.thread, lastAnswer + 1)), claimed };
  }

  /** System text is sent once, and again when it has changed. */
  async #resumeAt({ chat, parent, system }: StoredThread, knownLength: number): Promise<ResumePoint> {
    const { messages } = this.#request;
    const [knownMessages, newMessages] = [messages.slice(0, knownLength), messages.slice(knownLength)];
    const isSystemChanged = (await hashSystemText(knownMessages)) !== system;
    const repeatedSystem = isSystemChanged ? knownMessages.filter(({ role }) => role === "system") : [];
    return { chat, parent, messages: [...repeatedSystem, ...newMessages] };
  }
}

async function hashHistory(scope: string, messages: readonly Message[]): Promise<HistoryKeys> {
  const historyHash = new HistoryHash(scope);
  const slicer = new TimeSlicer();
  const ends: HistoryKeys["ends"] = [];
  for (const [index, message] of messages.entries()) {
    const appended = historyHash.append(message);
    const key = isResolved(appended) ? appended : await appended;
    // An answer at the very end has no new message behind it.
    if (message.role === "assistant" && index < messages.length - 1) ends.push({ key, length: index + 1 });
    const pause = slicer.yieldIfDue();
    if (pause) await pause;
  }
  return { historyHash, ends: ends.reverse() };
}
