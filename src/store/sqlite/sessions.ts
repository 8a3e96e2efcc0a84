import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { StoredSession } from "../../core/session.js";
import { ScopesShape } from "../stored-shapes.js";
import { readRow } from "./database-file.js";

const SessionRow = Type.Tuple([
  Type.String(),
  Type.String(),
  Type.Union([Type.String(), Type.Null()]),
  Type.String(),
  Type.Number(),
  Type.Number(),
]);
const columns = "sha256, key, key_sha256, scopes, created_at, expires_at";

/** The tables of the console's sessions and of the codes that make one. */
export class SqliteSessions {
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(database: Database.Database) {
    this.#statements = prepareStatements(database);
  }

  add({ sha256, key, keySha256, scopes, createdAt, expiresAt }: StoredSession, limit: number): void {
    this.#statements.removeExpired.run(createdAt);
    this.#statements.add.run(sha256, key, keySha256 ?? null, JSON.stringify(scopes), createdAt, expiresAt);
    this.#statements.removeBeyond.run(limit);
  }

  find(sha256: string, now: number): StoredSession | undefined {
    const row = this.#statements.find.get(sha256, now);
    return row === undefined ? undefined : toSession(row);
  }

  remove(sha256: string): boolean {
    return this.#statements.remove.run(sha256).changes > 0;
  }

  removeAll(): number {
    return this.#statements.removeAll.run().changes;
  }

  addCode(sha256: string, expiresAt: number, now: number): void {
    this.#statements.removeExpiredCodes.run(now);
    this.#statements.addCode.run(sha256, expiresAt);
  }

  takeCode(sha256: string, now: number): boolean {
    return this.#statements.takeCode.run(sha256, now).changes > 0;
  }
}

function toSession(row: unknown): StoredSession {
  const [sha256, key, keySha256, scopeText, createdAt, expiresAt] = readRow(SessionRow, row);
  const parsed: unknown = JSON.parse(scopeText);
  const session = { sha256, key, scopes: readRow(ScopesShape, parsed), createdAt, expiresAt };
  return keySha256 === null ? session : { ...session, keySha256 };
}

function prepareStatements(database: Database.Database) {
  return {
    add: database.prepare(`INSERT INTO sessions (${columns}) VALUES (?, ?, ?, ?, ?, ?)`),
    removeExpired: database.prepare("DELETE FROM sessions WHERE expires_at <= ?"),
    removeBeyond: database.prepare(
      `DELETE FROM sessions WHERE sha256 IN
         (SELECT sha256 FROM sessions ORDER BY created_at DESC, sha256 LIMIT -1 OFFSET ?)`,
    ),
    find: database.prepare(`SELECT ${columns} FROM sessions WHERE sha256 = ? AND expires_at > ?`).raw(),
    remove: database.prepare("DELETE FROM sessions WHERE sha256 = ?"),
    removeAll: database.prepare("DELETE FROM sessions"),
    addCode: database.prepare("INSERT INTO login_codes (sha256, expires_at) VALUES (?, ?)"),
    removeExpiredCodes: database.prepare("DELETE FROM login_codes WHERE expires_at <= ?"),
    takeCode: database.prepare("DELETE FROM login_codes WHERE sha256 = ? AND expires_at > ?"),
  };
}
