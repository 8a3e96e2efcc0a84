import type { ActiveUpstreams } from "../chat/active-upstreams.js";
import { GatewayError } from "../core/errors.js";
import type { ChatPage, ChatSelection, ConversationStore } from "../core/store.js";

/** The chats that Moonbridge has created, and only those. */
export class ConversationAdmin {
  readonly #store: ConversationStore;
  readonly #upstreams: ActiveUpstreams;

  constructor(store: ConversationStore, upstreams: ActiveUpstreams) {
    this.#store = store;
    this.#upstreams = upstreams;
  }

  list(selection: ChatSelection): Promise<ChatPage> {
    return this.#store.listChats(selection);
  }

  /**
   * Deletes a chat at its upstream, and what is stored of it. If that fails, it is due and tried again later. Throws
   * `not_found`, and any GatewayError of the upstream.
   */
  async delete(upstreamName: string, id: string, signal: AbortSignal): Promise<void> {
    const stored = await this.#store.findChat(upstreamName, id);
    if (!stored) {
      throw new GatewayError("not_found", "Moonbridge has made no such chat, or has deleted it already.");
    }
    const { upstream, chat, scope } = stored;
    await this.#store.saveChat({ upstream, chat, scope, dueAt: Date.now() });
    await this.#upstreams.use(async (active) => {
      const owner = active.find((each) => each.upstream.name === upstream);
      if (!owner) {
        throw new GatewayError(
          "not_found",
          `The chat belongs to “${upstream}”, which is not connected now. It is deleted when that account is.`,
        );
      }
      await owner.upstream.deleteChat?.(chat, signal).catch((error: unknown) => {
        if (!(error instanceof GatewayError && error.code === "not_found")) throw error;
      });
    });
    await this.#store.removeChat(upstream, chat, Date.now());
  }
}
