import type Database from "libsql";
import type { SqliteCredentials } from "./credentials.js";

/** Changes the names of accounts in all tables that have them. */
export class SqliteAccountNames {
  readonly #database: Database.Database;
  readonly #credentials: SqliteCredentials;
  readonly #moveChats: Database.Statement;

  /** `database`: the connection of the credentials. */
  constructor(database: Database.Database, credentials: SqliteCredentials) {
    this.#database = database;
    this.#credentials = credentials;
    // Nodes have their chat's number, not its upstream.
    this.#moveChats = database.prepare("UPDATE OR IGNORE chats SET upstream = ? WHERE upstream = ?");
  }

  /** False if `from` has no credentials or `to` has some. */
  rename(from: string, to: string): boolean {
    return this.#database
      .transaction(() => {
        const stored = this.#credentials.find(from);
        if (!stored || this.#credentials.find(to)) return false;
        this.#credentials.remove(from);
        this.#credentials.save(to, { ...stored, firstName: stored.firstName ?? from }, undefined);
        this.#moveChats.run(to, from);
        return true;
      })
      .immediate();
  }
}
