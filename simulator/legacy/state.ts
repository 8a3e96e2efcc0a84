import { Chats } from "../chats.js";
import { legacyId } from "../ids.js";
import { LegacyChatMethods } from "./chat-methods.js";
import { LegacyFiles } from "./files.js";
import { ResearchUsage } from "./research-usage.js";

/** State of the legacy protocol; its chats and files are separate from those of the current one. */
export type LegacyState = {
  readonly chats: Chats;
  readonly chatMethods: LegacyChatMethods;
  readonly files: LegacyFiles;
  readonly researchUsage: ResearchUsage;
  readonly slots: AnswerSlots;
};

export function createLegacyState(concurrency = 1): LegacyState {
  const chats = new Chats({ next: legacyId }, false);
  return {
    chats,
    chatMethods: new LegacyChatMethods(chats),
    files: new LegacyFiles(),
    researchUsage: new ResearchUsage(),
    slots: new AnswerSlots(concurrency),
  };
}

/** Limits how many answers of each account are in progress: one at a time on Kimi itself (kimi-web.md §1.6). */
class AnswerSlots {
  readonly #concurrency: number;
  /** Answers in progress by account id. */
  readonly #inProgress = new Map<string, number>();

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** False if the account has no free slot. */
  acquire(accountId: string): boolean {
    const count = this.#inProgress.get(accountId) ?? 0;
    if (count >= this.#concurrency) return false;
    this.#inProgress.set(accountId, count + 1);
    return true;
  }

  release(accountId: string): void {
    this.#inProgress.set(accountId, (this.#inProgress.get(accountId) ?? 1) - 1);
  }
}
