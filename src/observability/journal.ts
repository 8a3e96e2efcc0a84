import { calendarDay } from "../core/calendar-day.js";
import type { JournalEntry, JournalStore } from "../core/journal.js";
import { limits } from "../core/limits.js";

export type JournalOptions = {
  store: JournalStore;
  /** What is kept of entries: those of so many days, at most so many, and whether with texts. */
  keep(): { days: number; rows: number; texts: boolean };
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

  /** Trims what an earlier process has left, soon. */
  constructor(options: JournalOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Entries that were lost since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Adds an entry, which is written within `limits.journalDelay`; without its texts if they are no longer to be kept. */
  add({ texts, ...rest }: JournalEntry): void {
    const entry = texts && this.#options.keep().texts ? { ...rest, texts } : rest;
    if (this.#pending.length >= limits.journalBuffer) {
      this.#lost++;
      return;
    }
    this.#pending.push({ entry, day: calendarDay(entry.endedAt).date });
    if (this.#pending.length >= limits.journalBatch) void this.flush();
    else this.#schedule();
  }

  /** Trims the entries within `limits.journalDelay`; to be called when what is kept has changed. */
  trimSoon(): void {
    this.#trimmedAt = 0;
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), limits.journalDelay).unref();
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
    this.#pending = [];
    try {
      if (entries.length > 0) await this.#options.store.addEntries(entries);
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
    const { days, rows, texts: keepTexts } = this.#options.keep();
    const day = calendarDay(now - limits.dailyUsage).date;
    await store.trimEntries({ rows, before: now - days * dayMs, day, keepTexts });
  }
}

const dayMs = 24 * 60 * 60_000;
