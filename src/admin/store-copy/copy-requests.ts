import { calendarDay } from "../../core/calendar-day.js";
import type { JournalEntry, JournalStore } from "../../core/journal.js";
import type { Store } from "../../core/store.js";

const batch = 500;

/** Also makes the sums of the days that the entries belong to. */
export async function copyRequests({ journal: from }: Store, { journal: to }: Store): Promise<void> {
  const starts: (number | undefined)[] = [];
  for await (const { before } of pages(from)) starts.push(before);
  // The oldest first, so that the copies have the same order.
  for (const before of starts.reverse()) {
    const { entries } = await from.listEntries({}, { before, limit: batch });
    const missing = await Promise.all(entries.map((entry) => findUnlessCopied(entry, from, to)));
    const added = missing.filter((entry) => entry !== undefined).reverse();
    if (added.length > 0)
      await to.addEntries(added.map((entry) => ({ entry, day: calendarDay(entry.endedAt).date })));
  }
}

export async function countRequests({ journal }: Store): Promise<number> {
  let count = 0;
  for await (const { entries } of pages(journal)) count += entries.length;
  return count;
}

/** The newest first. */
async function* pages(journal: JournalStore) {
  for (let before: number | undefined; ; ) {
    const { entries, next } = await journal.listEntries({}, { before, limit: batch });
    yield { before, entries };
    if (next === undefined) return;
    before = next;
  }
}

/** The entry with its texts. */
async function findUnlessCopied(entry: JournalEntry, from: JournalStore, to: JournalStore) {
  if (await to.findEntry(entry.id)) return undefined;
  return (await from.findEntry(entry.id)) ?? entry;
}
