import type { StoredThread, TakenThread, ThreadStore } from "../core/store.js";
import type { ChatRequest, Message } from "../core/types.js";
import { hash } from "../lib/hash.js";
import { TimeSlicer } from "../lib/time-slicing.js";
import { HistoryDigest, isThere, systemDigest } from "./history-hash.js";
import type { Route } from "./model-router.js";

/** How far back a known place is looked for; a history longer than this is sent whole. */
const longestSearch = 200;

/** Where a request goes on, and what of it is new there. A place in a chat that is a line is taken from all others. */
export type Place = { chat: string; parent: string; messages: Message[]; taken?: TakenThread };

type Walk = { digest: HistoryDigest; ends: { key: string; length: number }[] };

/**
 * The conversations of one request's scope: caller, upstream, account and the model's scope. Finds the place in an
 * upstream's chat that the request's history ends at, and remembers where its answer stands (design §4).
 */
export class Thread {
  readonly #store: ThreadStore;
  readonly #request: ChatRequest;
  readonly #upstream: string;
  readonly #isLine: boolean;
  readonly scope: string;
  #walked: Promise<Walk> | undefined;

  constructor(store: ThreadStore, request: ChatRequest, { upstream, model }: Route) {
    this.#store = store;
    this.#request = request;
    this.#upstream = upstream.name;
    this.#isLine = upstream.chatStructure === "line";
    this.scope = hash(request.principal.keyName, upstream.name, upstream.accountId(), model.scope);
  }

  /**
   * The place after the longest known part of the history, else the one the conversation's id names, else none. In a
   * line that is always its end: of two who want to go on there the first does, and the other finds nothing.
   */
  async find(): Promise<Place | undefined> {
    return (await this.#findByHistory()) ?? (await this.#findByConversation());
  }

  /** The answers in the history that something may go on after, the last one first: their names, and how many messages they end. */
  async ends(): Promise<Walk["ends"]> {
    return (await this.#walk()).ends.slice(0, longestSearch);
  }

  /** Whether there is such a place, without taking it. */
  async isKnown(): Promise<boolean> {
    const { conversation } = this.#request;
    const keys = (await this.ends()).map(({ key }) => key);
    if (await this.#store.findThread(keys, Date.now())) return true;
    if (!conversation) return false;
    return (await this.#store.chat(this.#upstream, conversation, this.scope, Date.now())) !== undefined;
  }

  /** The answer has ended well: the next turn may go on after it, under one of these names. */
  async remember(chat: string, answer: string, text: string, reasoning: string): Promise<readonly string[]> {
    const system = await systemDigest(this.#request.messages);
    const thread: StoredThread = { upstream: this.#upstream, chat, parent: answer, system };
    const { digest } = await this.#walk();
    const names = await digest.withAnswer(text, reasoning);
    await this.#store.saveThread(names, thread);
    return names;
  }

  /** Nothing was said at this place: it is as it was, and free again. */
  async putBack({ taken }: Place): Promise<void> {
    if (taken) await this.#store.saveThread(taken.keys, taken.thread);
  }

  async forget(chat: string): Promise<void> {
    await this.#store.forgetThreads(this.#upstream, chat);
  }

  async #findByHistory(): Promise<Place | undefined> {
    const searched = await this.ends();
    if (searched.length === 0) return undefined;
    const keys = searched.map(({ key }) => key);
    if (!this.#isLine) {
      const found = await this.#store.findThread(keys, Date.now());
      const end = searched.find(({ key }) => key === found?.key);
      return found && end && this.#place(found.thread, end.length);
    }
    const taken = await this.#store.takeThread(keys, Date.now());
    const end = searched.find(({ key }) => taken?.keys.includes(key));
    return taken && end && { ...(await this.#place(taken.thread, end.length)), taken };
  }

  /** The names of the history, made once: where it may go on, the longest first, and what its answer's name grows from. */
  #walk(): Promise<Walk> {
    this.#walked ??= walk(this.scope, this.#request.messages);
    return this.#walked;
  }

  async #findByConversation(): Promise<Place | undefined> {
    const { conversation, messages } = this.#request;
    if (!conversation) return undefined;
    if (!(await this.#store.chat(this.#upstream, conversation, this.scope, Date.now()))) return undefined;
    const lastAnswer = messages.findLastIndex(({ role }) => role === "assistant");
    if (lastAnswer === messages.length - 1) return undefined;
    if (!this.#isLine) {
      const thread = await this.#store.latestThread(this.#upstream, conversation);
      return thread && this.#place(thread, lastAnswer + 1);
    }
    const taken = await this.#store.takeLatestThread(this.#upstream, conversation);
    return taken && { ...(await this.#place(taken.thread, lastAnswer + 1)), taken };
  }

  /** System text is told once, and again when it has changed. */
  async #place({ chat, parent, system }: StoredThread, known: number): Promise<Place> {
    const { messages } = this.#request;
    const [before, after] = [messages.slice(0, known), messages.slice(known)];
    const changed = (await systemDigest(before)) !== system;
    const retold = changed ? before.filter(({ role }) => role === "system") : [];
    return { chat, parent, messages: [...retold, ...after] };
  }
}

async function walk(scope: string, messages: readonly Message[]): Promise<Walk> {
  const digest = new HistoryDigest(scope);
  const slices = new TimeSlicer();
  const ends: Walk["ends"] = [];
  for (const [index, message] of messages.entries()) {
    const added = digest.add(message);
    const key = isThere(added) ? added : await added;
    // What ends with the request itself has nothing new behind it.
    if (message.role === "assistant" && index < messages.length - 1) ends.push({ key, length: index + 1 });
    const pause = slices.yieldIfDue();
    if (pause) await pause;
  }
  return { digest, ends: ends.reverse() };
}
