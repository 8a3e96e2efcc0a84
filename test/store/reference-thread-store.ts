import type { ClaimedThread, StoredChat, StoredThread, ThreadStore } from "../../src/core/store.js";

type ChatRef = { upstream: string; chat: string };
const isSameChat = (a: ChatRef, b: ChatRef) => a.upstream === b.upstream && a.chat === b.chat;

/** Reference implementation of a store of chats and threads, in memory. */
export class ReferenceThreadStore implements ThreadStore {
  #chats: StoredChat[] = [];
  /** Oldest first. */
  #threads: { key: string; thread: StoredThread }[] = [];

  async saveChat(chat: Omit<StoredChat, "attempts">): Promise<void> {
    const known = this.#findChat(chat.upstream, chat.chat);
    if (!known) this.#chats.push({ ...chat, attempts: 0 });
    else if (known.scope === chat.scope) Object.assign(known, { dueAt: chat.dueAt, attempts: 0 });
  }

  async findChat(
    upstream: string,
    chat: string,
    scope: string,
    now: number,
  ): Promise<StoredChat | undefined> {
    const known = this.#findChat(upstream, chat);
    return known && known.scope === scope && known.dueAt > now ? { ...known } : undefined;
  }

  async saveThread(keys: readonly string[], thread: StoredThread): Promise<void> {
    if (!this.#findChat(thread.upstream, thread.chat)) return;
    this.#threads = this.#threads.filter(({ key }) => !keys.includes(key));
    // The last occurrence of a repeated key counts.
    const distinct = keys.filter((key, at) => keys.lastIndexOf(key) === at);
    this.#threads.push(...distinct.map((key) => ({ key, thread })));
  }

  async findThread(
    keys: readonly string[],
    now: number,
  ): Promise<{ key: string; thread: StoredThread } | undefined> {
    return keys
      .map((wanted) => this.#threads.find(({ key }) => key === wanted))
      .find((found) => found && (this.#findChat(found.thread.upstream, found.thread.chat)?.dueAt ?? 0) > now);
  }

  async findLatestThread(upstream: string, chat: string): Promise<StoredThread | undefined> {
    return this.#threads.findLast(({ thread }) => isSameChat(thread, { upstream, chat }))?.thread;
  }

  async claimThread(keys: readonly string[], now: number): Promise<ClaimedThread | undefined> {
    return this.#claim((await this.findThread(keys, now))?.thread);
  }

  async claimLatestThread(upstream: string, chat: string): Promise<ClaimedThread | undefined> {
    return this.#claim(await this.findLatestThread(upstream, chat));
  }

  async removeThreads(upstream: string, chat: string): Promise<void> {
    this.#threads = this.#threads.filter(({ thread }) => !isSameChat(thread, { upstream, chat }));
  }

  async listDueChats(
    upstreams: readonly string[],
    now: number,
    limit: number,
  ): Promise<readonly StoredChat[]> {
    return this.#chats
      .filter(({ upstream, dueAt }) => upstreams.includes(upstream) && dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit);
  }

  async countDueChats(now: number): Promise<number> {
    return this.#chats.filter(({ dueAt }) => dueAt <= now).length;
  }

  async postponeChat(upstream: string, chat: string, dueAt: number): Promise<void> {
    const known = this.#findChat(upstream, chat);
    if (known) Object.assign(known, { dueAt, attempts: known.attempts + 1 });
  }

  async removeChat(upstream: string, chat: string): Promise<void> {
    await this.removeThreads(upstream, chat);
    this.#chats = this.#chats.filter((known) => !isSameChat(known, { upstream, chat }));
  }

  async trimThreads(limit: number): Promise<void> {
    this.#threads.splice(0, Math.max(0, this.#threads.length - limit));
  }

  #claim(thread: StoredThread | undefined): ClaimedThread | undefined {
    if (!thread) return undefined;
    const keys = this.#threads.flatMap((each) => (isSameChat(each.thread, thread) ? each.key : []));
    void this.removeThreads(thread.upstream, thread.chat);
    return { keys, thread };
  }

  #findChat(upstream: string, chat: string): StoredChat | undefined {
    return this.#chats.find((known) => isSameChat(known, { upstream, chat }));
  }
}
