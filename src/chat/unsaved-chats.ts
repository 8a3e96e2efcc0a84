import { limits } from "../core/limits.js";
import type { ConversationStore, StoredChat } from "../core/store.js";
import { BoundedMap } from "../lib/bounded-map.js";

type NewChat = Omit<StoredChat, "attempts">;

/**
 * Stores chats as due for deletion. Those that the store did not take are kept in memory until it does, so that they are
 * deleted upstream, too.
 */
export class UnsavedChats {
  readonly #store: Pick<ConversationStore, "saveChat">;
  readonly #chats = new BoundedMap<NewChat>(limits.unsavedChats);

  constructor(store: Pick<ConversationStore, "saveChat">) {
    this.#store = store;
  }

  /** Rejects as the store does; `retry` tries it again. */
  async save(chat: NewChat): Promise<void> {
    const key = JSON.stringify([chat.upstream, chat.chat]);
    try {
      await this.#store.saveChat(chat);
      this.#chats.delete(key);
    } catch (error) {
      this.#chats.set(key, chat);
      throw error;
    }
  }

  /** Rejects at the first chat that the store still does not take. */
  async retry(): Promise<void> {
    for (const chat of this.#chats.values()) await this.save(chat);
  }
}
