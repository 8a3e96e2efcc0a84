import { type Static, Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { DailyUsage, HourlyUsage, JournalEntry, UsageCounts, UsageGroup } from "../../core/journal.js";
import { readRow } from "./database-file.js";

const number = Type.Number();
const CountsRow = Type.Tuple([number, number, number, number, number, number]);
const DailyRow = Type.Tuple([Type.String(), Type.String(), ...CountsRow.items]);
const HourlyRow = Type.Tuple([number, Type.Union([number, Type.Null()]), ...CountsRow.items]);
const LastUseRow = Type.Tuple([Type.String(), number]);

const hourMs = 3_600_000;

/** The table of daily sums by key, model, account and outcome, and sums over the table of requests. */
export class SqliteUsage {
  readonly #add: Database.Statement;
  readonly #daily: Record<UsageGroup, Database.Statement>;
  readonly #hourly: Database.Statement;
  readonly #lastUses: Database.Statement;
  readonly #removeOld: Database.Statement;

  constructor(database: Database.Database) {
    // Without “WHERE true”, SQLite would read ON CONFLICT as a part of the SELECT.
    this.#add = database.prepare(
      `INSERT INTO usage_days (day, key, model, account, outcome, requests, input_tokens, cached_tokens,
         output_tokens, last_at)
       SELECT value ->> 'day', coalesce(value ->> 'key', ''), coalesce(value ->> 'model', ''),
         coalesce(value ->> 'upstream', ''), coalesce(value ->> 'failure', 'ok'), count(*),
         sum(coalesce(value ->> 'input', 0)), sum(coalesce(value ->> 'cached', 0)),
         sum(coalesce(value ->> 'output', 0)), max(value ->> 'endedAt')
       FROM json_each(?) WHERE true GROUP BY 1, 2, 3, 4, 5
       ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,
         input_tokens = input_tokens + excluded.input_tokens,
         cached_tokens = cached_tokens + excluded.cached_tokens,
         output_tokens = output_tokens + excluded.output_tokens, last_at = max(last_at, excluded.last_at)`,
    );
    const daily = (column: string) =>
      database
        .prepare(
          `SELECT day, ${column}, sum(requests),
             sum(CASE WHEN outcome IN ('ok', 'cancelled') THEN 0 ELSE requests END),
             sum(CASE WHEN outcome = 'cancelled' THEN requests ELSE 0 END),
             sum(input_tokens), sum(cached_tokens), sum(output_tokens)
           FROM usage_days WHERE day BETWEEN ? AND ? GROUP BY 1, 2 ORDER BY 1 DESC, 2`,
        )
        .raw();
    this.#daily = {
      key: daily("key"),
      model: daily("model"),
      account: daily("account"),
      outcome: daily("outcome"),
    };
    this.#hourly = database
      .prepare(
        `SELECT ended_at / ${hourMs} * ${hourMs}, avg(first_output), count(*), sum(outcome = 'failed'),
           sum(outcome = 'cancelled'), sum(coalesce(input_tokens, 0)), sum(coalesce(cached_tokens, 0)),
           sum(coalesce(output_tokens, 0))
         FROM journal WHERE ended_at >= ? GROUP BY 1 ORDER BY 1`,
      )
      .raw();
    this.#lastUses = database
      .prepare("SELECT key, max(last_at) FROM usage_days WHERE key <> '' GROUP BY key")
      .raw();
    this.#removeOld = database.prepare("DELETE FROM usage_days WHERE day < ?");
  }

  /** Adds all entries to the sums in one statement. */
  add(entries: readonly { entry: JournalEntry; day: string }[]): void {
    const rows = entries.map(({ day, entry: { key, model, upstream, failure, usage, endedAt } }) => {
      const { input, cached, output } = usage ?? {};
      return { day, key, model, upstream, failure, input, cached, output, endedAt };
    });
    this.#add.run(JSON.stringify(rows));
  }

  daily(by: UsageGroup, from: string, to: string): DailyUsage[] {
    return this.#daily[by].all(from, to).map((row) => {
      const [day, name, ...counts] = readRow(DailyRow, row);
      return { day, name, ...toCounts(counts) };
    });
  }

  hourly(since: number): HourlyUsage[] {
    return this.#hourly.all(Math.round(since)).map((row) => {
      const [hour, firstOutput, ...counts] = readRow(HourlyRow, row);
      return { hour, firstOutput: firstOutput ?? undefined, ...toCounts(counts) };
    });
  }

  lastUses(): Map<string, number> {
    return new Map(this.#lastUses.all().map((row) => readRow(LastUseRow, row)));
  }

  trim(day: string): void {
    this.#removeOld.run(day);
  }
}

function toCounts(row: Static<typeof CountsRow>): UsageCounts {
  const [requests, failed, cancelled, inputTokens, cachedTokens, outputTokens] = row;
  return { requests, failed, cancelled, inputTokens, cachedTokens, outputTokens };
}
