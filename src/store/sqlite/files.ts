import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { FileSelection, StoredFile } from "../../core/store.js";
import { readRow } from "./database-file.js";

const text = Type.String();
const number = Type.Number();
const FileRow = Type.Tuple([text, text, text, text, text, number, text, number]);
const CountRow = Type.Tuple([number, number]);

const columns = "id, owner, name, media_type, purpose, size, digest, created_at";

/** The table of the files that clients have uploaded. */
export class SqliteFiles {
  readonly #run: ReturnType<typeof prepare>;

  constructor(database: Database.Database) {
    this.#run = prepare(database);
  }

  save({ id, owner, name, mediaType, purpose, size, digest, createdAt }: StoredFile): void {
    this.#run.save.run(id, owner, name, mediaType, purpose, size, digest, Math.round(createdAt));
  }

  find(owner: string, id: string): StoredFile | undefined {
    const row = this.#run.find.get(owner, id);
    return row === undefined ? undefined : toFile(row);
  }

  list(owner: string, { limit, after, purpose, newestFirst }: FileSelection): readonly StoredFile[] {
    const list = newestFirst ? this.#run.newest : this.#run.oldest;
    return list.all(owner, after ?? null, purpose ?? null, limit).map(toFile);
  }

  remove(owner: string, id: string): void {
    this.#run.remove.run(owner, id);
  }

  count(): { files: number; bytes: number } {
    const [files, bytes] = readRow(CountRow, this.#run.count.get());
    return { files, bytes };
  }
}

function toFile(row: unknown): StoredFile {
  const [id, owner, name, mediaType, purpose, size, digest, createdAt] = readRow(FileRow, row);
  return { id, owner, name, mediaType, purpose, size, digest, createdAt };
}

function prepare(database: Database.Database) {
  const after = "(SELECT seq FROM files WHERE owner = ?1 AND id = ?2)";
  const list = (order: "ASC" | "DESC") => {
    const beyond = order === "ASC" ? `seq > coalesce(${after}, 0)` : `seq < coalesce(${after}, 1 << 62)`;
    return database
      .prepare(
        `SELECT ${columns} FROM files WHERE owner = ?1 AND ${beyond} AND (?3 IS NULL OR purpose = ?3)
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
