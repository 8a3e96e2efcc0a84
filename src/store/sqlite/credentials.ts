import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { StoredCredentials } from "../../core/store.js";
import type { CredentialCipher } from "../encryption.js";
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
  readonly #cipher: CredentialCipher;
  readonly #listAccounts: Database.Statement;
  readonly #find: Database.Statement;
  readonly #save: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #acquireLock: Database.Statement;
  readonly #releaseLock: Database.Statement;

  constructor(database: Database.Database, cipher: CredentialCipher) {
    this.#cipher = cipher;
    this.#listAccounts = database.prepare("SELECT account FROM credentials ORDER BY account").raw();
    this.#find = database.prepare("SELECT value FROM credentials WHERE account = ?").raw();
    this.#save = database.prepare(
      "INSERT INTO credentials (account, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    this.#remove = database.prepare("DELETE FROM credentials WHERE account = ?");
    // A single statement, so that only one of two processes gets a free lock.
    this.#acquireLock = database.prepare(
      `INSERT INTO locks (name, owner, until) VALUES (?1, ?2, ?3)
       ON CONFLICT DO UPDATE SET owner = ?2, until = ?3 WHERE owner = ?2 OR until <= ?4`,
    );
    this.#releaseLock = database.prepare("DELETE FROM locks WHERE name = ? AND owner = ?");
  }

  listAccounts(): string[] {
    return this.#listAccounts.all().map((row) => readRow(TextRow, row)[0]);
  }

  find(account: string): StoredCredentials | undefined {
    const decrypted = this.#findDecrypted(account);
    if (decrypted === undefined) return undefined;
    const parsed: unknown = JSON.parse(decrypted.text);
    return readRow(Credentials, parsed);
  }

  /** Throws StoreError rather than overwrite a row that it cannot decrypt. */
  save(account: string, credentials: StoredCredentials): void {
    this.#findDecrypted(account);
    this.#save.run(account, this.#cipher.encrypt(JSON.stringify(credentials), associatedName(account)));
  }

  remove(account: string): boolean {
    return this.#remove.run(account).changes > 0;
  }

  /** Accounts whose rows should be encrypted again. Throws StoreError if any row cannot be decrypted. */
  listOutdated(): string[] {
    return this.listAccounts().filter((account) => this.#findDecrypted(account)?.isOutdated);
  }

  /** Encrypts those rows with the current key. */
  encryptOutdated(): void {
    for (const account of this.listOutdated()) {
      const credentials = this.find(account);
      if (credentials) this.save(account, credentials);
    }
  }

  acquireLock(name: string, owner: string, until: number): boolean {
    return this.#acquireLock.run(name, owner, Math.round(until), Date.now()).changes === 1;
  }

  releaseLock(name: string, owner: string): void {
    this.#releaseLock.run(name, owner);
  }

  #findDecrypted(account: string): { text: string; isOutdated: boolean } | undefined {
    const row = this.#find.get(account);
    return row === undefined
      ? undefined
      : this.#cipher.decrypt(readRow(TextRow, row)[0], associatedName(account));
  }
}

function associatedName(account: string): string {
  return `credentials/${account}`;
}
