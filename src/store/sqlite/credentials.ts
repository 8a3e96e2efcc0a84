import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { StoredCredentials } from "../../core/store.js";
import type { Seal } from "../encryption.js";
import { readRow } from "./database-file.js";

const TokenPair = Type.Object({
  accessToken: Type.Optional(Type.String()),
  refreshToken: Type.Optional(Type.String()),
});
const Credentials = Type.Object({
  current: TokenPair,
  previous: Type.Optional(TokenPair),
  startedFrom: Type.String(),
  savedAt: Type.Number(),
  site: Type.Optional(Type.Object({ baseUrl: Type.String(), authUrl: Type.String() })),
});
const TextRow = Type.Tuple([Type.String()]);

/** The tables of credentials and locks. The connection must be one that syncs every write. */
export class SqliteCredentials {
  readonly #seal: Seal;
  readonly #accounts: Database.Statement;
  readonly #find: Database.Statement;
  readonly #save: Database.Statement;
  readonly #lock: Database.Statement;
  readonly #unlock: Database.Statement;

  constructor(database: Database.Database, seal: Seal) {
    this.#seal = seal;
    this.#accounts = database.prepare("SELECT account FROM credentials ORDER BY account").raw();
    this.#find = database.prepare("SELECT value FROM credentials WHERE account = ?").raw();
    this.#save = database.prepare(
      "INSERT INTO credentials (account, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    // One statement, so that of two processes only one sees the lock free.
    this.#lock = database.prepare(
      `INSERT INTO locks (name, owner, until) VALUES (?1, ?2, ?3)
       ON CONFLICT DO UPDATE SET owner = ?2, until = ?3 WHERE owner = ?2 OR until <= ?4`,
    );
    this.#unlock = database.prepare("DELETE FROM locks WHERE name = ? AND owner = ?");
  }

  accounts(): string[] {
    return this.#accounts.all().map((row) => readRow(TextRow, row)[0]);
  }

  find(account: string): StoredCredentials | undefined {
    const opened = this.#open(account);
    if (opened === undefined) return undefined;
    const parsed: unknown = JSON.parse(opened.text);
    return readRow(Credentials, parsed);
  }

  /** Throws StoreError rather than write over what it cannot open. */
  save(account: string, credentials: StoredCredentials): void {
    this.#open(account);
    this.#save.run(account, this.#seal.seal(JSON.stringify(credentials), nameIn(account)));
  }

  /** The accounts whose rows are to be sealed anew. Throws StoreError if there is a row that cannot be opened. */
  stale(): string[] {
    return this.accounts().filter((account) => this.#open(account)?.stale);
  }

  sealAll(): void {
    for (const account of this.stale()) {
      const credentials = this.find(account);
      if (credentials) this.save(account, credentials);
    }
  }

  lock(name: string, owner: string, until: number): boolean {
    return this.#lock.run(name, owner, Math.round(until), Date.now()).changes === 1;
  }

  unlock(name: string, owner: string): void {
    this.#unlock.run(name, owner);
  }

  #open(account: string): { text: string; stale: boolean } | undefined {
    const row = this.#find.get(account);
    return row === undefined ? undefined : this.#seal.open(readRow(TextRow, row)[0], nameIn(account));
  }
}

/** What a row is called when it is sealed: it opens nowhere else. */
function nameIn(account: string): string {
  return `credentials/${account}`;
}
