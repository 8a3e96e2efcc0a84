import { calendarDay } from "../core/calendar-day.js";
import { GatewayError } from "../core/errors.js";
import type {
  DailyUsage,
  HourlyUsage,
  JournalEntry,
  JournalFilter,
  JournalPage,
  JournalPosition,
  JournalStore,
  UsageGroup,
} from "../core/journal.js";

const dayMs = 24 * 60 * 60_000;
/** Days of usage if nobody says how many. */
const usageDays = 30;

/** A period of days, both inclusive, in the server's time zone. */
export type DayRange = { from: string; to: string };

/** The journal of requests and the usage, for the console and the command line. */
export class JournalReader {
  readonly #store: JournalStore;
  readonly #flush: () => Promise<void>;

  /** `flush` has the entries written that this process still holds. */
  constructor(store: JournalStore, flush: () => Promise<void> = async () => {}) {
    this.#store = store;
    this.#flush = flush;
  }

  async list(filter: JournalFilter, position: JournalPosition): Promise<JournalPage> {
    await this.#flush();
    return this.#store.listEntries(filter, position);
  }

  /** Throws `not_found`. */
  async find(id: string): Promise<JournalEntry> {
    await this.#flush();
    const entry = await this.#store.findEntry(id);
    if (entry) return entry;
    throw new GatewayError(
      "not_found",
      "The journal has no request with this id. It may be older than what is kept (the setting journal).",
    );
  }

  async dailyUsage(by: UsageGroup, { from, to }: DayRange): Promise<readonly DailyUsage[]> {
    await this.#flush();
    return this.#store.dailyUsage(by, from, to);
  }

  /** Of the last 24 hours. */
  async hourlyUsage(): Promise<readonly HourlyUsage[]> {
    await this.#flush();
    return this.#store.hourlyUsage(Date.now() - dayMs);
  }

  /** When keys were last used, by name; only those that were. */
  async lastUses(): Promise<ReadonlyMap<string, number>> {
    await this.#flush();
    return this.#store.lastUses();
  }
}

/** The days from `from` to `to`; by default the last 30 until today. */
export function dayRange(from: string | undefined, to: string | undefined): DayRange {
  const today = Date.now();
  return {
    from: from ?? calendarDay(today - (usageDays - 1) * dayMs).date,
    to: to ?? calendarDay(today).date,
  };
}
