import { setTimeout } from "node:timers/promises";
import type { JournalReader } from "../admin/journal-reader.js";
import { withJournal } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import type { JournalEntry, JournalFilter } from "../core/journal.js";
import { limits } from "../core/limits.js";
import { adminMessages as messages } from "../i18n/admin-messages.js";
import { padColumns, printError, printLine, span, translate } from "./print.js";

export type RequestsOptions = {
  config?: string;
  limit?: number;
  key?: string;
  model?: string;
  failed?: boolean;
  follow?: boolean;
  json?: boolean;
};

const pageSize = 500;

/**
 * `moonbridge requests`: the last requests of the journal, the newest last; with `follow` also those that end from now on,
 * until Ctrl+C. It reads the database, where a running server writes them within two seconds.
 */
export async function requests(options: RequestsOptions): Promise<void> {
  const { config: file, limit = 20, key, model, failed = false, follow = false, json = false } = options;
  const config = await loadAppConfig({ config: file }, process.env);
  for (const warning of config.warnings) printError(warning);
  const filter: JournalFilter = { key, model, outcome: failed ? "failed" : undefined };
  await withJournal(config, async (journal) => {
    const { entries } = await journal.list(filter, { limit });
    if (entries.length === 0 && !follow) printError(translate(messages.noRequests));
    else if (!json) printLine(span("title", toLine(Object.values(messages.requestColumns).map(translate))));
    const print = (entry: JournalEntry) => printLine(json ? JSON.stringify(entry) : toLine(cellsOf(entry)));
    for (const entry of entries.toReversed()) print(entry);
    if (follow) await followJournal(journal, filter, print, entries[0]?.id);
  });
}

/** Prints new entries as they are written, until the process is stopped. */
async function followJournal(
  journal: JournalReader,
  filter: JournalFilter,
  print: (entry: JournalEntry) => void,
  lastId: string | undefined,
): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  let last = lastId;
  while (!stop.signal.aborted) {
    const { entries } = await journal.list(filter, { limit: pageSize });
    const known = entries.findIndex(({ id }) => id === last);
    for (const entry of entries.slice(0, known < 0 ? pageSize : known).toReversed()) print(entry);
    last = entries[0]?.id ?? last;
    await setTimeout(limits.journalPoll, undefined, { signal: stop.signal }).catch(() => {});
  }
}

const widths = [19, 14, 9, 12, 16, 22, 7, 8];

function toLine(cells: readonly string[]): string {
  return cells
    .map((cell, column) => padColumns(cell, widths[column] ?? 0))
    .join(" ")
    .trimEnd();
}

/** The cells in the order of `messages.requestColumns`; times in milliseconds, tokens as input+output. */
function cellsOf(entry: JournalEntry): string[] {
  const { endedAt, duration, firstOutput, usage } = entry;
  const started = new Date(endedAt - duration).toISOString().slice(0, 19).replace("T", " ");
  return [
    ...[started, entry.key ?? "-", entry.dialect ?? "-", entry.upstream ?? "-", entry.model ?? "-"],
    entry.failure ?? "ok",
    ...[firstOutput === undefined ? "-" : String(firstOutput), String(duration)],
    usage ? `${usage.input}+${usage.output}` : "-",
  ];
}
