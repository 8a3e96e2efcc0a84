import { Chats } from "../chats.js";
import { legacyId } from "../ids.js";
import { LegacyFiles } from "./files.js";
import { LegacyHistory } from "./history.js";
import { Research } from "./research.js";

/** State of the legacy protocol; its chats and files are separate from those of the current one. */
export type LegacyState = {
  readonly chats: Chats;
  readonly history: LegacyHistory;
  readonly files: LegacyFiles;
  readonly research: Research;
  /** Ids of accounts with an answer in progress: one at a time for each (kimi-web.md §1.6). */
  readonly answering: Set<string>;
};

export function createLegacyState(): LegacyState {
  const chats = new Chats({ next: legacyId });
  return {
    chats,
    history: new LegacyHistory(chats),
    files: new LegacyFiles(),
    research: new Research(),
    answering: new Set(),
  };
}
