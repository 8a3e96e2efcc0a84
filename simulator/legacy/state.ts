import { Chats } from "../chats.js";
import { xid } from "../ids.js";
import { LegacyFiles } from "./files.js";
import { LegacyHistory } from "./history.js";
import { Research } from "./research.js";

/** What the legacy protocol remembers; chats and files of the current one are not among it. */
export type LegacyWorld = {
  readonly chats: Chats;
  readonly history: LegacyHistory;
  readonly files: LegacyFiles;
  readonly research: Research;
  /** The people who are being answered: one answer at a time for each (kimi-web.md §1.6). */
  readonly speaking: Set<string>;
};

export function createLegacyWorld(): LegacyWorld {
  const chats = new Chats({ next: xid });
  return {
    chats,
    history: new LegacyHistory(chats),
    files: new LegacyFiles(),
    research: new Research(),
    speaking: new Set(),
  };
}
