import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { StoredCredentials } from "../../core/store.js";
import type { CredentialCipher } from "../encryption.js";
import { CredentialsShape } from "../stored-shapes.js";
import { readRow } from "./database-file.js";

const TextRow = Type.Tuple([Type.String()]);
const TokenRow = Type.Tuple([Type.Number()]);

/** The tables of credentials and locks. The connection must be one that syncs every write. */
export class SqliteCredentials {
  readonly #database: Database.Database;
  readonly #cipher: CredentialCipher;
  readonly #listAccounts: Database.Statement;
  readonly #find: Database.Statement;
  readonly #save: Database.Statement;
  readonly #replaceValue: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #acquireLock: Database.Statement;
  readonly #keepToken: Database.Statement;
  readonly #releaseLock: Database.Statement;

  constructor(database: Database.Database, cipher: CredentialCipher) {
    this.#database = database;
    this.#cipher = cipher;
    this.#listAccounts = database.prepare("SELECT account FROM credentials ORDER BY account").raw();
    this.#find = database.prepare("SELECT value FROM credentials WHERE account = ?").raw();
    // A save without a fence has one above all tokens so far. The words “WHERE true” keep ON CONFLICT out of the SELECT.
    this.#save = database.prepare(
      `INSERT INTO credentials (account, value, fence)
       SELECT ?1, ?2, coalesce(?3, last + 1) FROM lock_tokens WHERE true
       ON CONFLICT DO UPDATE SET value = excluded.value, fence = excluded.fence WHERE ?3 IS NULL OR fence <= ?3`,
    );
    this.#replaceValue = database.prepare("UPDATE credentials SET value = ? WHERE account = ?");
    this.#remove = database.prepare("DELETE FROM credentials WHERE account = ?");
    // A single statement, so that only one of two processes gets a free lock.
    this.#acquireLock = database
      .prepare(
        `INSERT INTO locks (name, owner, until, token) SELECT ?1, ?2, ?3, last + 1 FROM lock_tokens WHERE true
         ON CONFLICT DO UPDATE SET owner = ?2, until = ?3, token = iif(owner = ?2, token, excluded.token)
         WHERE owner = ?2 OR until <= ?4 RETURNING token`,
      )
      .raw();
    this.#keepToken = database.prepare("UPDATE lock_tokens SET last = max(last, ?)");
    this.#releaseLock = database.prepare("DELETE FROM locks WHERE name = ? AND owner = ?");
  }

  listAccounts(): string[] {
    return this.#listAccounts.all().map((row) => readRow(TextRow, row)[0]);
  }

  find(account: string): StoredCredentials | undefined {
    const decrypted = this.#findDecrypted(account);
    if (decrypted === undefined) return undefined;
    const parsed: unknown = JSON.parse(decrypted.text);
    return readRow(CredentialsShape, parsed);
  }

  /** Throws StoreError rather than overwrite a row that it cannot decrypt. */
  save(account: string, credentials: StoredCredentials, fence: number | undefined): boolean {
    this.#findDecrypted(account);
    const value = this.#cipher.encrypt(JSON.stringify(credentials), associatedName(account));
    return this.#save.run(account, value, fence ?? null).changes > 0;
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
      const decrypted = this.#findDecrypted(account);
      if (decrypted)
        this.#replaceValue.run(this.#cipher.encrypt(decrypted.text, associatedName(account)), account);
    }
  }

  acquireLock(name: string, owner: string, until: number): number | undefined {
    return this.#database
      .transaction(() => {
        const row = this.#acquireLock.get(name, owner, Math.round(until), Date.now());
        if (row === undefined) return undefined;
        const [token] = readRow(TokenRow, row);
        this.#keepToken.run(token);
        return token;
      })
      .immediate();
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
