import type { StoredChat, StoredThread, TakenThread, ThreadStore } from "../../src/core/store.js";

type Name = { upstream: string; chat: string };
const same = (a: Name, b: Name) => a.upstream === b.upstream && a.chat === b.chat;

/** What a store of chats and threads means, in the plainest words. */
export class PlainStore implements ThreadStore {
  #chats: StoredChat[] = [];
  /** The oldest first. */
  #threads: { key: string; thread: StoredThread }[] = [];

  async saveChat(chat: Omit<StoredChat, "attempts">): Promise<void> {
    const known = this.#find(chat.upstream, chat.chat);
    if (!known) this.#chats.push({ ...chat, attempts: 0 });
    else if (known.scope === chat.scope) Object.assign(known, { dueAt: chat.dueAt, attempts: 0 });
  }

  async chat(upstream: string, chat: string, scope: string, now: number): Promise<StoredChat | undefined> {
    const known = this.#find(upstream, chat);
    return known && known.scope === scope && known.dueAt > now ? { ...known } : undefined;
  }

  async saveThread(keys: readonly string[], thread: StoredThread): Promise<void> {
    if (!this.#find(thread.upstream, thread.chat)) return;
    this.#threads = this.#threads.filter(({ key }) => !keys.includes(key));
    // A key that is named twice counts where it stands last.
    const distinct = keys.filter((key, at) => keys.lastIndexOf(key) === at);
    this.#threads.push(...distinct.map((key) => ({ key, thread })));
  }

  async findThread(
    keys: readonly string[],
    now: number,
  ): Promise<{ key: string; thread: StoredThread } | undefined> {
    return keys
      .map((wanted) => this.#threads.find(({ key }) => key === wanted))
      .find((found) => found && (this.#find(found.thread.upstream, found.thread.chat)?.dueAt ?? 0) > now);
  }

  async latestThread(upstream: string, chat: string): Promise<StoredThread | undefined> {
    return this.#threads.findLast(({ thread }) => same(thread, { upstream, chat }))?.thread;
  }

  async takeThread(keys: readonly string[], now: number): Promise<TakenThread | undefined> {
    return this.#take((await this.findThread(keys, now))?.thread);
  }

  async takeLatestThread(upstream: string, chat: string): Promise<TakenThread | undefined> {
    return this.#take(await this.latestThread(upstream, chat));
  }

  async forgetThreads(upstream: string, chat: string): Promise<void> {
    this.#threads = this.#threads.filter(({ thread }) => !same(thread, { upstream, chat }));
  }

  async dueChats(upstreams: readonly string[], now: number, limit: number): Promise<readonly StoredChat[]> {
    return this.#chats
      .filter(({ upstream, dueAt }) => upstreams.includes(upstream) && dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit);
  }

  async countDueChats(now: number): Promise<number> {
    return this.#chats.filter(({ dueAt }) => dueAt <= now).length;
  }

  async postponeChat(upstream: string, chat: string, dueAt: number): Promise<void> {
    const known = this.#find(upstream, chat);
    if (known) Object.assign(known, { dueAt, attempts: known.attempts + 1 });
  }

  async removeChat(upstream: string, chat: string): Promise<void> {
    await this.forgetThreads(upstream, chat);
    this.#chats = this.#chats.filter((known) => !same(known, { upstream, chat }));
  }

  async trimThreads(limit: number): Promise<void> {
    this.#threads.splice(0, Math.max(0, this.#threads.length - limit));
  }

  #take(thread: StoredThread | undefined): TakenThread | undefined {
    if (!thread) return undefined;
    const keys = this.#threads.flatMap((each) => (same(each.thread, thread) ? each.key : []));
    void this.forgetThreads(thread.upstream, thread.chat);
    return { keys, thread };
  }

  #find(upstream: string, chat: string): StoredChat | undefined {
    return this.#chats.find((known) => same(known, { upstream, chat }));
  }
}
