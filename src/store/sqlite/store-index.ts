import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { CredentialCipher } from "../encryption.js";
import { readRow } from "./database-file.js";

const TextRow = Type.Tuple([Type.String()]);
const PairRow = Type.Tuple([Type.String(), Type.String()]);
const NumberRow = Type.Tuple([Type.Number()]);

/** What is in the tables, for a copy of the store. */
export class SqliteIndex {
  readonly #database: Database.Database;
  readonly #cipher: CredentialCipher;

  constructor(database: Database.Database, cipher: CredentialCipher) {
    this.#database = database;
    this.#cipher = cipher;
  }

  listSecrets(): ReadonlyMap<string, string> {
    return new Map(
      this.#read("SELECT name, value FROM secrets").map((row) => {
        const [name, value] = readRow(PairRow, row);
        return [name, this.#cipher.decrypt(value, `secrets/${name}`).text];
      }),
    );
  }

  listFileOwners(): string[] {
    return this.#read("SELECT DISTINCT owner FROM files ORDER BY owner").map(
      (row) => readRow(TextRow, row)[0],
    );
  }

  listCapabilityAccounts(): string[] {
    return this.#read("SELECT DISTINCT account FROM capabilities ORDER BY account").map(
      (row) => readRow(TextRow, row)[0],
    );
  }

  listResponses(): { owner: string; id: string }[] {
    return this.#read("SELECT owner, id FROM responses ORDER BY rowid").map((row) => {
      const [owner, id] = readRow(PairRow, row);
      return { owner, id };
    });
  }

  listNodes(after: number, limit: number): number[] {
    return this.#read("SELECT id FROM nodes WHERE id > ? ORDER BY id LIMIT ?", after, limit).map(
      (row) => readRow(NumberRow, row)[0],
    );
  }

  #read(sql: string, ...values: readonly number[]): unknown[] {
    return this.#database
      .prepare(sql)
      .raw()
      .all(...values);
  }
}
