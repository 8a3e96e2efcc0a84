import { calendarDay } from "../core/calendar-day.js";
import type { JournalEntry, JournalStore } from "../core/journal.js";
import { limits } from "../core/limits.js";

export type JournalOptions = {
  store: JournalStore;
  /** What is kept of entries: those of so many days, and at most so many. */
  keep(): { days: number; rows: number };
  /** Called when entries begin to get lost. */
  warn(message: string, error: unknown): void;
};

/**
 * Writes ended requests to the store, many at a time, so that a request waits for nothing. Entries that cannot be written, or
 * that come faster than they can, are lost and counted.
 */
export class Journal {
  readonly #options: JournalOptions;
  #pending: { entry: JournalEntry; day: string }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastWrite: Promise<void> = Promise.resolve();
  #lost = 0;
  #isFailing = false;
  #trimmedAt = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Entries that were lost since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Adds an entry, which is written within `limits.journalDelay`. */
  add(entry: JournalEntry): void {
    if (this.#pending.length >= limits.journalBuffer) {
      this.#lost++;
      return;
    }
    this.#pending.push({ entry, day: calendarDay(entry.endedAt).date });
    if (this.#pending.length >= limits.journalBatch) void this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), limits.journalDelay).unref();
  }

  /** Resolves when all entries so far are written or lost. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastWrite = this.#lastWrite.then(() => this.#writePending());
    return this.#lastWrite;
  }

  async #writePending(): Promise<void> {
    const entries = this.#pending;
    if (entries.length === 0) return;
    this.#pending = [];
    try {
      await this.#options.store.addEntries(entries);
      await this.#trim();
      this.#isFailing = false;
    } catch (error) {
      this.#lost += entries.length;
      if (!this.#isFailing) this.#options.warn("requests could not be written to the journal", error);
      this.#isFailing = true;
    }
  }

  async #trim(): Promise<void> {
    const now = Date.now();
    if (now - this.#trimmedAt < limits.journalTrimInterval) return;
    this.#trimmedAt = now;
    const { store } = this.#options;
    const { days, rows } = this.#options.keep();
    const day = calendarDay(now - limits.dailyUsage).date;
    await store.trimEntries({ rows, before: now - days * dayMs, day });
  }
}

const dayMs = 24 * 60 * 60_000;
