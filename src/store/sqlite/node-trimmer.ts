import { setImmediate } from "node:timers/promises";
import { Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { TrimLimits } from "../../core/store.js";
import { readRow } from "./database-file.js";

const NumberRow = Type.Tuple([Type.Number()]);
const NullableNumberRow = Type.Tuple([Type.Union([Type.Number(), Type.Null()])]);

/** Rows deleted per transaction, so that no request waits long. */
const batchSize = 100;

/** Keeps the nodes of conversations within their limits, in batches between which other calls can run. */
export class SqliteNodeTrimmer {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
  }

  /** Stops early once `isOpen` returns false. */
  async trim({ nodes, forgottenAnswers, tombstonesBefore }: TrimLimits, now: number, isOpen: () => boolean) {
    const { deleteTombstones, deleteOldForgotten } = this.#statements;
    await deleteInBatches(isOpen, () => deleteTombstones.run(tombstonesBefore, batchSize));
    await this.#deleteOldest("nodes", nodes, now, isOpen);
    await deleteInBatches(isOpen, () => deleteOldForgotten.run(tombstonesBefore, batchSize));
    await this.#deleteOldest("forgotten_answers", forgottenAnswers, now, isOpen);
  }

  async #deleteOldest(table: Table, limit: number, now: number, isOpen: () => boolean): Promise<void> {
    const statements = this.#statements[table];
    const lastId = lastIdToDelete(statements, limit);
    if (lastId === undefined) return;
    const deleteBatch = this.#database.transaction(() => {
      if (table === "nodes") this.#statements.forget.run({ lastId, now: Math.round(now), batchSize });
      return statements.deleteOldest.run(lastId, batchSize);
    });
    await deleteInBatches(isOpen, () => deleteBatch.immediate());
  }
}

type Table = "nodes" | "forgotten_answers";
type TableStatements = ReturnType<typeof prepareTable>;

/** The newest id of the rows beyond the limit. */
function lastIdToDelete({ idSpan, count, idAtOffset }: TableStatements, limit: number): number | undefined {
  // Ids have gaps, so the span is an upper bound; an exact count would read the whole index.
  const [span] = readRow(NullableNumberRow, idSpan.get());
  if (span === null || span <= limit) return undefined;
  const [rows] = readRow(NumberRow, count.get());
  if (rows <= limit) return undefined;
  return readRow(NumberRow, idAtOffset.get(rows - limit - 1))[0];
}

async function deleteInBatches(isOpen: () => boolean, deleteBatch: () => { changes: number }): Promise<void> {
  while (isOpen() && deleteBatch().changes === batchSize) await setImmediate();
}

function prepareStatements(database: Database.Database) {
  const write = (sql: string) => database.prepare(sql);
  const oldestNodes = (answer: string) =>
    `SELECT ${answer} AS answer, coalesce(affinity, '') AS affinity FROM nodes
     WHERE id IN (SELECT id FROM nodes WHERE id <= @lastId ORDER BY id LIMIT @batchSize)`;
  return {
    nodes: prepareTable(database, "nodes"),
    forgotten_answers: prepareTable(database, "forgotten_answers"),
    deleteTombstones: write(
      `DELETE FROM nodes WHERE id IN
         (SELECT id FROM nodes WHERE ended_at < ? ORDER BY ended_at LIMIT ?)`,
    ),
    deleteOldForgotten: write(
      `DELETE FROM forgotten_answers WHERE id IN
         (SELECT id FROM forgotten_answers WHERE forgotten_at < ? ORDER BY forgotten_at LIMIT ?)`,
    ),
    // An answer that is forgotten again gets a new id, so that the ids ascend in time.
    forget: write(
      `INSERT OR REPLACE INTO forgotten_answers (answer, affinity, forgotten_at)
       SELECT answer, affinity, @now FROM (${oldestNodes("answer")} UNION ${oldestNodes("other_answer")})
       WHERE answer IS NOT NULL`,
    ),
  };
}

function prepareTable(database: Database.Database, table: Table) {
  const read = (sql: string) => database.prepare(sql).raw();
  return {
    // Two subqueries: SQLite optimises min() and max() only if each is alone in its query.
    idSpan: read(`SELECT (SELECT max(id) FROM ${table}) - (SELECT min(id) FROM ${table}) + 1`),
    count: read(`SELECT count(*) FROM ${table}`),
    idAtOffset: read(`SELECT id FROM ${table} ORDER BY id LIMIT 1 OFFSET ?`),
    deleteOldest: database.prepare(
      `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE id <= ? ORDER BY id LIMIT ?)`,
    ),
  };
}
