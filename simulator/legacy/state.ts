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
  /** Ids of accounts with an answer in progress: one at a time for each (kimi-web.md §1.6). */
  readonly answeringAccounts: Set<string>;
};

export function createLegacyState(): LegacyState {
  const chats = new Chats({ next: legacyId });
  return {
    chats,
    chatMethods: new LegacyChatMethods(chats),
    files: new LegacyFiles(),
    researchUsage: new ResearchUsage(),
    answeringAccounts: new Set(),
  };
}
