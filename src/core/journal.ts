import type { Usage } from "./types.js";

/** What was said in a request, at most `limits.journalText` characters of each text. Lengths are those of the whole texts. */
export type JournalTexts = {
  /** The last message of the user, without pictures and files. */
  prompt: string;
  promptLength: number;
  /** The number of messages before it. */
  earlier: number;
  answer: string;
  answerLength: number;
};

/**
 * A request that has ended, as the journal keeps it: names and figures, never a secret, and no text but `texts`. Durations in
 * milliseconds.
 */
export type JournalEntry = {
  /** As in the response header `x-request-id`. */
  id: string;
  endedAt: number;
  duration: number;
  method: string;
  route: string;
  status: number;
  /** An error code; absent for a request that succeeded, `cancelled` if its client left. */
  failure?: string | undefined;
  upstreamCode?: string | undefined;
  dialect?: string | undefined;
  /** The name of the API key. */
  key?: string | undefined;
  /** The upstream that was tried last, and the model there. */
  upstream?: string | undefined;
  model?: string | undefined;
  chat?: "new" | "continued" | undefined;
  attempts: number;
  waited?: number | undefined;
  firstOutput?: number | undefined;
  finish?: string | undefined;
  usage?: Usage | undefined;
  ignored?: readonly string[] | undefined;
  traceId?: string | undefined;
  /** Only if the setting `journal.texts` is on. */
  texts?: JournalTexts | undefined;
};

/** How a request ended. */
export type Outcome = "ok" | "failed" | "cancelled";

export function outcomeOf({ failure }: Pick<JournalEntry, "failure">): Outcome {
  if (failure === undefined) return "ok";
  return failure === "cancelled" ? "cancelled" : "failed";
}

/** Selects entries; all conditions must hold. Times: `since` inclusive, `until` exclusive. */
export type JournalFilter = Pick<JournalEntry, "key" | "model" | "upstream" | "dialect" | "failure"> & {
  outcome?: Outcome | undefined;
  since?: number | undefined;
  until?: number | undefined;
};

/** At most `limit` entries, those that were added before the one of this number. */
export type JournalPosition = { before?: number | undefined; limit: number };

/** Entries of one page, and where the next one begins. */
export type JournalPage = { entries: readonly JournalEntry[]; next: number | undefined };

/** The requests, and their tokens, that ended in a period. */
export type UsageCounts = {
  requests: number;
  failed: number;
  cancelled: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
};

/** By what requests of a day are summed. `account`: the upstream; `outcome`: `ok` or the error code. */
export const usageGroups = ["key", "model", "account", "outcome"] as const;
export type UsageGroup = (typeof usageGroups)[number];

/** The sums of one day, for one value of a group; empty if the requests had none. */
export type DailyUsage = UsageCounts & { day: string; name: string };

/** The sums of one hour, which begins at `hour`. `firstOutput`: the mean in milliseconds, undefined without an answer. */
export type HourlyUsage = UsageCounts & { hour: number; firstOutput: number | undefined };

/** The requests that have ended, and their daily sums, which are kept for longer. */
export interface JournalStore {
  /**
   * Adds entries with the day that each belongs to (`2026-12-31`), in few statements, whatever their number. Texts are
   * encrypted as credentials are.
   */
  addEntries(entries: readonly { entry: JournalEntry; day: string }[]): Promise<void>;
  /** The newest entries first, without their texts. */
  listEntries(filter: JournalFilter, page: JournalPosition): Promise<JournalPage>;
  /** With its texts, unless they were encrypted with a key that is gone. */
  findEntry(id: string): Promise<JournalEntry | undefined>;
  /** The sums from `from` to `to`, both inclusive, the newest day first and then by name. */
  dailyUsage(by: UsageGroup, from: string, to: string): Promise<readonly DailyUsage[]>;
  /** The sums by hour since this time, the oldest first. */
  hourlyUsage(since: number): Promise<readonly HourlyUsage[]>;
  /** When each key was last used, of those with daily sums. */
  lastUses(): Promise<ReadonlyMap<string, number>>;
  /**
   * Removes entries beyond `rows` or of before `before`, sums of days before `day`, and the texts of all entries unless
   * `keepTexts`.
   */
  trimEntries(limits: { rows: number; before: number; day: string; keepTexts: boolean }): Promise<void>;
}
