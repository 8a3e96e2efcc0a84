import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import { limits } from "../../core/limits.js";
import { readRow } from "./database-file.js";

const IdRow = Type.Tuple([Type.String()]);

/** The table of files that were uploaded to an upstream, by scope and digest. */
export class SqliteUploads {
  readonly #find: Database.Statement<[string, string, number]>;
  readonly #save: Database.Statement<[string, string, string, number]>;
  readonly #deleteOlderThan: Database.Statement<[number]>;

  constructor(database: Database.Database) {
    this.#find = database
      .prepare<[string, string, number]>(
        "SELECT id FROM uploads WHERE scope = ? AND digest = ? AND uploaded_at > ?",
      )
      .raw();
    this.#save = database.prepare(
      "INSERT OR REPLACE INTO uploads (scope, digest, id, uploaded_at) VALUES (?, ?, ?, ?)",
    );
    this.#deleteOlderThan = database.prepare("DELETE FROM uploads WHERE uploaded_at < ?");
  }

  find(scope: string, digest: string, since: number): string | undefined {
    const row = this.#find.get(scope, digest, Math.round(since));
    return row === undefined ? undefined : readRow(IdRow, row)[0];
  }

  save(scope: string, digest: string, id: string, now: number): void {
    this.#save.run(scope, digest, id, Math.round(now));
    this.#deleteOlderThan.run(Math.round(now - limits.uploadReuse));
  }
}
