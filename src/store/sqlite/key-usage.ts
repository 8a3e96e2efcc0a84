import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { KeyUsage } from "../../core/store.js";
import { readRow } from "./database-file.js";

const UsageRow = Type.Tuple([Type.Number(), Type.Number()]);

/** The table of what API keys have used, by name and day. */
export class SqliteKeyUsage {
  readonly #count: Database.Statement;
  readonly #add: Database.Statement;
  readonly #find: Database.Statement;
  readonly #removeOld: Database.Statement;

  constructor(database: Database.Database) {
    this.#count = database.prepare(
      `INSERT INTO key_usage (key, day, requests, tokens) VALUES (?, ?, 1, 0)
       ON CONFLICT DO UPDATE SET requests = requests + 1 WHERE requests < ? AND tokens < ?`,
    );
    this.#add = database.prepare(
      `INSERT INTO key_usage (key, day, requests, tokens) VALUES (?, ?, 0, ?)
       ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens`,
    );
    this.#find = database.prepare("SELECT requests, tokens FROM key_usage WHERE key = ? AND day = ?").raw();
    this.#removeOld = database.prepare("DELETE FROM key_usage WHERE key = ? AND day < date(?, '-7 days')");
  }

  countRequest(
    key: string,
    day: string,
    { requests, tokens }: Partial<KeyUsage>,
  ): keyof KeyUsage | undefined {
    this.#removeOld.run(key, day);
    const [maxRequests, maxTokens] = [requests ?? unlimited, tokens ?? unlimited];
    if (this.#count.run(key, day, maxRequests, maxTokens).changes === 1) return undefined;
    return this.find(key, day).requests >= maxRequests ? "requests" : "tokens";
  }

  addTokens(key: string, day: string, tokens: number): void {
    this.#add.run(key, day, Math.round(tokens));
  }

  find(key: string, day: string): KeyUsage {
    const row = this.#find.get(key, day);
    const [requests, tokens] = row === undefined ? [0, 0] : readRow(UsageRow, row);
    return { requests, tokens };
  }
}

const unlimited = Number.MAX_SAFE_INTEGER;
