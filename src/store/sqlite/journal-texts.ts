import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { JournalEntry, JournalTexts } from "../../core/journal.js";
import type { CredentialCipher } from "../encryption.js";
import { openTexts, sealTexts } from "../sealed-texts.js";
import { readRow, truncateWal } from "./database-file.js";

const TextsRow = Type.Tuple([Type.String()]);

/** The table of what was said in requests: JSON, encrypted if the store has a key. */
export class SqliteJournalTexts {
  readonly #database: Database.Database;
  readonly #cipher: CredentialCipher;
  readonly #add: Database.Statement;
  readonly #find: Database.Statement;
  readonly #removeOld: Database.Statement;
  readonly #removeAll: Database.Statement;
  readonly #removePlain: Database.Statement;

  /** `database`: the connection that overwrites what is removed, and what it moves within the file. */
  constructor(database: Database.Database, cipher: CredentialCipher) {
    this.#database = database;
    this.#cipher = cipher;
    this.#add = database.prepare(
      `INSERT OR REPLACE INTO journal_texts (entry, texts)
       SELECT journal.id, value ->> 'texts' FROM json_each(?)
       JOIN journal ON journal.id = (SELECT max(id) FROM journal WHERE request = value ->> 'id')`,
    );
    this.#find = database.prepare("SELECT texts FROM journal_texts WHERE entry = ?").raw();
    this.#removeOld = database.prepare(
      "DELETE FROM journal_texts WHERE entry <= ? OR entry IN (SELECT id FROM journal WHERE ended_at < ?)",
    );
    this.#removeAll = database.prepare("DELETE FROM journal_texts");
    this.#removePlain = database.prepare("DELETE FROM journal_texts WHERE substr(texts, 1, 1) = '{'");
  }

  /** Adds the texts of entries that are in the journal. */
  add(entries: readonly JournalEntry[]): void {
    const rows = entries.flatMap(({ id, texts }) => {
      if (!texts) return [];
      return [{ id, texts: sealTexts(this.#cipher, id, texts) }];
    });
    if (rows.length > 0) this.#add.run(JSON.stringify(rows));
  }

  /** The texts of the entry with this number; undefined without any, or if the key that encrypted them is gone. */
  find(entry: number, request: string): JournalTexts | undefined {
    const row = this.#find.get(entry);
    return row === undefined ? undefined : openTexts(this.#cipher, request, readRow(TextsRow, row)[0]);
  }

  /** Removes the texts of the entries up to this number, and of those from before this time. */
  removeOld(lastEntry: number, before: number): void {
    this.#removeOld.run(lastEntry, before);
  }

  removeAll(): void {
    if (this.#removeAll.run().changes > 0) truncateWal(this.#database);
  }

  /** Removes those that were written before the store had a key. */
  removePlain(): void {
    this.#removePlain.run();
  }
}
