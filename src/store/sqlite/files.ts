import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { FileSelection, StoredFile } from "../../core/store.js";
import { readRow } from "./database-file.js";

const text = Type.String();
const number = Type.Number();
const FileRow = Type.Tuple([text, text, text, text, text, number, text, number]);
const CountRow = Type.Tuple([number, number]);

const columns = "id, owner, name, media_type, purpose, size, digest, created_at";

/** The table of files that clients have uploaded to Moonbridge. */
export class SqliteFiles {
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(database: Database.Database) {
    this.#statements = prepareStatements(database);
  }

  save({ id, owner, name, mediaType, purpose, size, digest, createdAt }: StoredFile): void {
    this.#statements.save.run(id, owner, name, mediaType, purpose, size, digest, Math.round(createdAt));
  }

  find(owner: string, id: string): StoredFile | undefined {
    const row = this.#statements.find.get(owner, id);
    return row === undefined ? undefined : toStoredFile(row);
  }

  list(owner: string, { limit, after, purpose, newestFirst }: FileSelection): readonly StoredFile[] {
    const list = newestFirst ? this.#statements.newest : this.#statements.oldest;
    return list.all(owner, after ?? null, purpose ?? null, limit).map(toStoredFile);
  }

  remove(owner: string, id: string): void {
    this.#statements.remove.run(owner, id);
  }

  count(): { files: number; bytes: number } {
    const [files, bytes] = readRow(CountRow, this.#statements.count.get());
    return { files, bytes };
  }
}

function toStoredFile(row: unknown): StoredFile {
  const [id, owner, name, mediaType, purpose, size, digest, createdAt] = readRow(FileRow, row);
  return { id, owner, name, mediaType, purpose, size, digest, createdAt };
}

function prepareStatements(database: Database.Database) {
  const cursor = "(SELECT seq FROM files WHERE owner = ?1 AND id = ?2)";
  const list = (order: "ASC" | "DESC") => {
    const afterCursor =
      order === "ASC" ? `seq > coalesce(${cursor}, 0)` : `seq < coalesce(${cursor}, 1 << 62)`;
    return database
      .prepare(
        `SELECT ${columns} FROM files WHERE owner = ?1 AND ${afterCursor} AND (?3 IS NULL OR purpose = ?3)
         ORDER BY seq ${order} LIMIT ?4`,
      )
      .raw();
  };
  return {
    save: database.prepare(`INSERT INTO files (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    find: database.prepare(`SELECT ${columns} FROM files WHERE owner = ? AND id = ?`).raw(),
    oldest: list("ASC"),
    newest: list("DESC"),
    remove: database.prepare("DELETE FROM files WHERE owner = ? AND id = ?"),
    count: database.prepare("SELECT count(*), coalesce(sum(size), 0) FROM files").raw(),
  };
}
