import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import { limits } from "../../core/limits.js";
import type { StoredResponse } from "../../core/store.js";
import { readRow } from "./database-file.js";

const text = Type.String();
const ResponseRow = Type.Tuple([text, text, Type.Union([text, Type.Null()]), text, Type.Number()]);
const SizeRow = Type.Tuple([Type.Number(), Type.Number()]);

/** Answers saved, and characters of them, after which the table is brought back to its limits. */
const trimInterval = { answers: 100, characters: 16_000_000 };

/** The table of answers that clients can name by their ids. */
export class SqliteResponses {
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Since the last trim; the first save trims, since another process may have left more. */
  #saved: { answers: number; characters: number } = { ...trimInterval };

  constructor(database: Database.Database) {
    this.#statements = prepareStatements(database);
  }

  save({ id, owner, previous, body, expiresAt }: StoredResponse, now: number): void {
    const until = Math.round(expiresAt);
    this.#statements.save.run(id, owner, previous ?? null, body, until);
    if (previous !== undefined) this.#statements.extend.run(previous, owner, until, limits.pathTurns);
    this.#statements.removeExpired.run(Math.round(now));
    this.#saved.answers += 1;
    this.#saved.characters += body.length;
    if (this.#saved.answers >= trimInterval.answers || this.#saved.characters >= trimInterval.characters)
      this.#trim();
  }

  find(
    owner: string,
    id: string,
    { limit, bytes }: { limit: number; bytes: number },
    now: number,
  ): readonly StoredResponse[] {
    return this.#statements.find.all(id, owner, Math.round(now), limit, bytes).map(toStoredResponse);
  }

  remove(owner: string, id: string): boolean {
    return this.#statements.remove.run(id, owner).changes > 0;
  }

  #trim(): void {
    this.#saved = { answers: 0, characters: 0 };
    const { storedResponses, storedResponseText } = limits;
    for (;;) {
      const [count, size] = readRow(SizeRow, this.#statements.size.get());
      const surplus = count - storedResponses;
      if (surplus <= 0 && size <= storedResponseText) return;
      this.#statements.removeOldest.run(Math.max(1, surplus, Math.ceil(count / 50)));
    }
  }
}

function toStoredResponse(row: unknown): StoredResponse {
  const [id, owner, previous, body, expiresAt] = readRow(ResponseRow, row);
  return { id, owner, body, expiresAt, ...(previous === null ? {} : { previous }) };
}

function prepareStatements(database: Database.Database) {
  return {
    save: database.prepare(
      "INSERT INTO responses (id, owner, previous, body, expires_at) VALUES (?, ?, ?, ?, ?)",
    ),
    extend: database.prepare(
      `WITH RECURSIVE chain (id, previous, turn) AS (
         SELECT id, previous, 1 FROM responses WHERE id = ?1 AND owner = ?2
         UNION ALL
         SELECT responses.id, responses.previous, turn + 1 FROM responses JOIN chain ON responses.id = chain.previous
         WHERE owner = ?2 AND turn < ?4
       )
       UPDATE responses SET expires_at = ?3 WHERE id IN (SELECT id FROM chain) AND expires_at < ?3`,
    ),
    find: database
      .prepare(
        `WITH RECURSIVE chain (id, owner, previous, body, expires_at, turn, size) AS (
           SELECT id, owner, previous, body, expires_at, 1, length(body) FROM responses
           WHERE id = ?1 AND owner = ?2 AND expires_at > ?3
           UNION ALL
           SELECT responses.id, responses.owner, responses.previous, responses.body, responses.expires_at, turn + 1,
             size + length(responses.body)
           FROM responses JOIN chain ON responses.id = chain.previous
           WHERE responses.owner = ?2 AND responses.expires_at > ?3 AND turn < ?4 AND size < ?5
         )
         SELECT id, owner, previous, body, expires_at FROM chain ORDER BY turn`,
      )
      .raw(),
    remove: database.prepare("DELETE FROM responses WHERE id = ? AND owner = ?"),
    removeExpired: database.prepare("DELETE FROM responses WHERE expires_at <= ?"),
    removeOldest: database.prepare(
      "DELETE FROM responses WHERE id IN (SELECT id FROM responses ORDER BY expires_at, rowid LIMIT ?)",
    ),
    size: database.prepare("SELECT count(*), coalesce(sum(length(body)), 0) FROM responses").raw(),
  };
}
