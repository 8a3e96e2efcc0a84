import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import {
  type JournalEntry,
  type JournalFilter,
  type JournalPage,
  type JournalPosition,
  outcomeOf,
} from "../../core/journal.js";
import { JournalEntryShape } from "../stored-shapes.js";
import { readRow } from "./database-file.js";
import type { SqliteJournalTexts } from "./journal-texts.js";

const EntryRow = Type.Tuple([Type.Number(), Type.String()]);
const NumberRow = Type.Tuple([Type.Number()]);

/** The table of requests that have ended: a column for each filter and sum, and the whole entry as JSON. */
export class SqliteJournal {
  readonly #database: Database.Database;
  readonly #texts: SqliteJournalTexts;
  readonly #add: Database.Statement;
  readonly #find: Database.Statement;
  readonly #findOldestKept: Database.Statement;
  readonly #removeOld: Database.Statement;

  constructor(database: Database.Database, texts: SqliteJournalTexts) {
    this.#database = database;
    this.#texts = texts;
    this.#add = database.prepare(
      `INSERT INTO journal (request, ended_at, key, model, upstream, dialect, failure, outcome,
         input_tokens, cached_tokens, output_tokens, first_output, entry)
       SELECT value ->> 'id', value ->> 'endedAt', value ->> 'key', value ->> 'model', value ->> 'upstream',
         value ->> 'dialect', value ->> 'failure', value ->> 'outcome', value ->> '$.usage.input',
         value ->> '$.usage.cached', value ->> '$.usage.output', value ->> 'firstOutput', value ->> 'entry'
       FROM json_each(?)`,
    );
    this.#find = database
      .prepare("SELECT id, entry FROM journal WHERE request = ? ORDER BY id DESC LIMIT 1")
      .raw();
    this.#findOldestKept = database.prepare("SELECT id FROM journal ORDER BY id DESC LIMIT 1 OFFSET ?").raw();
    this.#removeOld = database.prepare("DELETE FROM journal WHERE id <= ? OR ended_at < ?");
  }

  /** Adds all entries in one statement. */
  add(entries: readonly JournalEntry[]): void {
    const rows = entries.map(({ texts: _texts, ...entry }) => {
      const { id, endedAt, key, model, upstream, dialect, failure, usage, firstOutput } = entry;
      const columns = { id, endedAt, key, model, upstream, dialect, failure, usage, firstOutput };
      return { ...columns, outcome: outcomeOf(entry), entry: JSON.stringify(entry) };
    });
    this.#add.run(JSON.stringify(rows));
  }

  list(filter: JournalFilter, { before, limit }: JournalPosition): JournalPage {
    const { where, values } = toConditions(filter, before);
    const rows = this.#database
      .prepare(`SELECT id, entry FROM journal ${where} ORDER BY id DESC LIMIT ?`)
      .raw()
      .all(...values, limit + 1)
      .map((row) => readRow(EntryRow, row));
    const page = rows.slice(0, limit);
    return {
      entries: page.map(([, entry]) => parseEntry(entry)),
      next: rows.length > limit ? page.at(-1)?.[0] : undefined,
    };
  }

  find(id: string): JournalEntry | undefined {
    const row = this.#find.get(id);
    if (row === undefined) return undefined;
    const [number, json] = readRow(EntryRow, row);
    const entry = parseEntry(json);
    const texts = this.#texts.find(number, id);
    return texts ? { ...entry, texts } : entry;
  }

  trim(rows: number, before: number): void {
    const row = this.#findOldestKept.get(rows);
    const lastRemoved = row === undefined ? 0 : readRow(NumberRow, row)[0];
    // The texts first: their connection overwrites what it removes.
    this.#texts.removeOld(lastRemoved, Math.round(before));
    this.#removeOld.run(lastRemoved, Math.round(before));
  }
}

/** The conditions of a filter: fixed texts, with its values as parameters. */
function toConditions(filter: JournalFilter, before: number | undefined) {
  const conditions: Record<string, string | number | undefined> = {
    "id < ?": before,
    "ended_at >= ?": filter.since,
    "ended_at < ?": filter.until,
    "key = ?": filter.key,
    "model = ?": filter.model,
    "upstream = ?": filter.upstream,
    "dialect = ?": filter.dialect,
    "failure = ?": filter.failure,
    "outcome = ?": filter.outcome,
  };
  const given = Object.entries(conditions).filter(([, value]) => value !== undefined);
  const where = given.length === 0 ? "" : `WHERE ${given.map(([condition]) => condition).join(" AND ")}`;
  return { where, values: given.map(([, value]) => value) };
}

function parseEntry(entry: string): JournalEntry {
  const parsed: unknown = JSON.parse(entry);
  return readRow(JournalEntryShape, parsed);
}
