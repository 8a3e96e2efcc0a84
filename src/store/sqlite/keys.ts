import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { KeySettings, StoredKey } from "../../core/store.js";
import type { CredentialCipher } from "../encryption.js";
import { KeySettingsShape } from "../stored-shapes.js";
import { readRow } from "./database-file.js";

const KeyRow = Type.Tuple([
  Type.String(),
  Type.String(),
  Type.String(),
  Type.Union([Type.Number(), Type.Null()]),
]);
const SecretRow = Type.Tuple([Type.String()]);

const columns = "name, sha256, settings, created_at";

/** The tables of API keys and of the server's secrets. The connection must be one that syncs every write. */
export class SqliteKeys {
  readonly #list: Database.Statement;
  readonly #findByHash: Database.Statement;
  readonly #findByName: Database.Statement;
  readonly #add: Database.Statement;
  readonly #update: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #removeUsage: Database.Statement;
  readonly #findSecret: Database.Statement;
  readonly #addSecret: Database.Statement;
  readonly #updateSecret: Database.Statement;
  readonly #cipher: CredentialCipher;

  constructor(database: Database.Database, cipher: CredentialCipher) {
    this.#cipher = cipher;
    this.#list = database.prepare(`SELECT ${columns} FROM keys ORDER BY id`).raw();
    this.#findByHash = database.prepare(`SELECT ${columns} FROM keys WHERE sha256 = ?`).raw();
    this.#findByName = database.prepare(`SELECT ${columns} FROM keys WHERE name = ?`).raw();
    this.#add = database.prepare(`INSERT INTO keys (${columns}) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`);
    this.#update = database.prepare("UPDATE keys SET settings = ? WHERE name = ?");
    this.#remove = database.prepare("DELETE FROM keys WHERE name = ?");
    this.#removeUsage = database.prepare(
      "DELETE FROM key_usage WHERE key = ?1 AND EXISTS (SELECT 1 FROM keys WHERE name = ?1)",
    );
    this.#findSecret = database.prepare("SELECT value FROM secrets WHERE name = ?").raw();
    this.#addSecret = database.prepare(
      "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
    );
    this.#updateSecret = database.prepare("UPDATE secrets SET value = ? WHERE name = ?");
  }

  list(): StoredKey[] {
    return this.#list.all().map(toKey);
  }

  findByHash(sha256: string): StoredKey | undefined {
    const row = this.#findByHash.get(sha256);
    return row === undefined ? undefined : toKey(row);
  }

  findByName(name: string): StoredKey | undefined {
    const row = this.#findByName.get(name);
    return row === undefined ? undefined : toKey(row);
  }

  add({ name, sha256, settings, createdAt }: StoredKey): boolean {
    return this.#add.run(name, sha256, JSON.stringify(settings), createdAt ?? null).changes === 1;
  }

  update(name: string, settings: KeySettings): boolean {
    return this.#update.run(JSON.stringify(settings), name).changes > 0;
  }

  remove(name: string): boolean {
    this.#removeUsage.run(name);
    return this.#remove.run(name).changes > 0;
  }

  /** If two processes generate it at once, both get the one stored first. */
  getOrCreateSecret(name: string, generate: () => string): string {
    const associatedName = `secrets/${name}`;
    let row = this.#findSecret.get(name);
    if (row === undefined) {
      this.#addSecret.run(name, this.#cipher.encrypt(generate(), associatedName));
      row = this.#findSecret.get(name);
    }
    const { text, isOutdated } = this.#cipher.decrypt(readRow(SecretRow, row)[0], associatedName);
    if (isOutdated) this.#updateSecret.run(this.#cipher.encrypt(text, associatedName), name);
    return text;
  }
}

function toKey(row: unknown): StoredKey {
  const [name, sha256, value, createdAt] = readRow(KeyRow, row);
  const parsed: unknown = JSON.parse(value);
  const settings = readRow(KeySettingsShape, parsed);
  return { name, sha256, settings, ...(createdAt === null ? {} : { createdAt }) };
}
