import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { StoredKey } from "../../core/store.js";
import { chatModes, citationModes, scopes } from "../../core/types.js";
import type { Seal } from "../encryption.js";
import { readRow } from "./database-file.js";

const oneOf = <T extends string>(values: readonly T[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));

const Settings = Type.Object({
  scopes: Type.Array(oneOf(scopes)),
  models: Type.Optional(Type.Array(Type.String())),
  upstreams: Type.Optional(Type.Array(Type.String())),
  requestsPerMinute: Type.Optional(Type.Number()),
  concurrency: Type.Optional(Type.Number()),
  expires: Type.Optional(Type.Number()),
  chats: Type.Optional(oneOf(chatModes)),
  citations: Type.Optional(oneOf(citationModes)),
});
const KeyRow = Type.Tuple([
  Type.String(),
  Type.String(),
  Type.String(),
  Type.Union([Type.Number(), Type.Null()]),
]);
const SecretRow = Type.Tuple([Type.String()]);

const columns = "name, sha256, settings, created_at";

/** The tables of API keys and of the server's own secrets. The connection must be one that syncs every write. */
export class SqliteKeys {
  readonly #all: Database.Statement;
  readonly #byHash: Database.Statement;
  readonly #byName: Database.Statement;
  readonly #add: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #secret: Database.Statement;
  readonly #saveSecret: Database.Statement;
  readonly #resealSecret: Database.Statement;
  readonly #seal: Seal;

  constructor(database: Database.Database, seal: Seal) {
    this.#seal = seal;
    this.#all = database.prepare(`SELECT ${columns} FROM keys ORDER BY id`).raw();
    this.#byHash = database.prepare(`SELECT ${columns} FROM keys WHERE sha256 = ?`).raw();
    this.#byName = database.prepare(`SELECT ${columns} FROM keys WHERE name = ?`).raw();
    this.#add = database.prepare(`INSERT INTO keys (${columns}) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`);
    this.#remove = database.prepare("DELETE FROM keys WHERE name = ?");
    this.#secret = database.prepare("SELECT value FROM secrets WHERE name = ?").raw();
    this.#saveSecret = database.prepare(
      "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
    );
    this.#resealSecret = database.prepare("UPDATE secrets SET value = ? WHERE name = ?");
  }

  all(): StoredKey[] {
    return this.#all.all().map(toKey);
  }

  byHash(sha256: string): StoredKey | undefined {
    const row = this.#byHash.get(sha256);
    return row === undefined ? undefined : toKey(row);
  }

  byName(name: string): StoredKey | undefined {
    const row = this.#byName.get(name);
    return row === undefined ? undefined : toKey(row);
  }

  add({ name, sha256, settings, createdAt }: StoredKey): boolean {
    return this.#add.run(name, sha256, JSON.stringify(settings), createdAt ?? null).changes === 1;
  }

  remove(name: string): boolean {
    return this.#remove.run(name).changes > 0;
  }

  /** Of two processes that make it at once, one makes it for both. */
  secret(name: string, make: () => string): string {
    const sealedAs = `secrets/${name}`;
    let row = this.#secret.get(name);
    if (row === undefined) {
      this.#saveSecret.run(name, this.#seal.seal(make(), sealedAs));
      row = this.#secret.get(name);
    }
    const { text, stale } = this.#seal.open(readRow(SecretRow, row)[0], sealedAs);
    if (stale) this.#resealSecret.run(this.#seal.seal(text, sealedAs), name);
    return text;
  }
}

function toKey(row: unknown): StoredKey {
  const [name, sha256, value, createdAt] = readRow(KeyRow, row);
  const parsed: unknown = JSON.parse(value);
  const settings = readRow(Settings, parsed);
  return { name, sha256, settings, ...(createdAt === null ? {} : { createdAt }) };
}
