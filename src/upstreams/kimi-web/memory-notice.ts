import type { ChatEvent } from "../../core/types.js";

/**
 * Tells once that Kimi has remembered something from a conversation, or used what it remembers (kimi-web.md §6 #17): its memory
 * belongs to the account, so words of one chat can come up in another one.
 */
export class MemoryNotice {
  #isGiven = false;

  /** Emits the notice the first time it is called. */
  emit(out: ChatEvent[]): void {
    if (this.#isGiven) return;
    this.#isGiven = true;
    out.push({ type: "notice", code: "kimi_memory", message });
  }
}

const message =
  "Kimi keeps a memory of this account that reaches into all of its chats. To keep chats apart, switch it off in the settings of Kimi's site.";
