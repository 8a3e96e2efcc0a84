import { constants } from "node:fs";
import { access, chmod, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import Database from "libsql";
import { errorCode } from "../../lib/error-code.js";
import { damagedError, StoreError } from "../errors.js";
import { applicationId, migrations, readPragma, versionOf } from "./migrations.js";

/** How long a call waits for another process that is writing. */
const busyTimeout = 5_000;
/**
 * Pages in the -wal file from which on SQLite moves them itself, in the middle of a write: only where the thread that
 * should (`sqlite-checkpoints.ts`) does not come to it.
 */
const longestLog = 16_000;
/** A whole check reads the whole file: about 2 ms for each MB. */
const largestChecked = 64 * 1_024 * 1_024;

/**
 * Creates the file and its folder if they are missing, readable by their owner only: SQLite would create it for all
 * to read, and gives its -wal and -shm files the mode of this one. A file that is there is not opened: closing it
 * again would take from this process all locks that SQLite holds on it (sqlite.org/howtocorrupt.html §2.2).
 */
export async function prepareFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await access(dirname(path), constants.W_OK);
    await createFile(path);
    await access(path, constants.R_OK | constants.W_OK);
    if ((await stat(path)).isFile()) return;
  } catch (cause) {
    throw new StoreError(
      `The database ${path} cannot be opened or its folder cannot be written. Set "store" to a file that can.`,
      { cause },
    );
  }
  throw new StoreError(`The database ${path} is not a file. Set "store" to one.`);
}

async function createFile(path: string): Promise<void> {
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** A backup that was copied back may have become readable for all. Where it is another user's, it stays so. */
export async function keepPrivate(path: string): Promise<void> {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await chmod(file, 0o600).catch(() => {});
}

/** Throws StoreError unless this is a sound database of ours, of this version or older. Changes nothing. */
export function checkDatabase(path: string): void {
  const database = new Database(path, { timeout: busyTimeout });
  try {
    const tables = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").raw().get();
    if (tables !== undefined && readPragma(database, "application_id") !== applicationId) {
      throw new StoreError(`The file ${path} belongs to another program. Set "store" to another file.`);
    }
    if (versionOf(database) > migrations.length) {
      throw new StoreError(
        `The database ${path} was written by a newer Moonbridge. Start that version, or restore a backup from before it.`,
      );
    }
    const size = Number(readPragma(database, "page_count")) * Number(readPragma(database, "page_size"));
    if (size < largestChecked && readPragma(database, "quick_check(1)") !== "ok") throw damagedError(path);
  } finally {
    database.close();
  }
}

/**
 * A connection in WAL mode. `FULL` survives a power cut and costs an fsync for each write; `NORMAL` survives the
 * process being killed at any moment.
 */
export function connect(path: string, synchronous: "FULL" | "NORMAL"): Database.Database {
  const database = new Database(path, { timeout: busyTimeout });
  try {
    settle(database, "journal_mode", "WAL", "wal");
    settle(database, "synchronous", synchronous, synchronous === "FULL" ? 2 : 1);
    settle(database, "foreign_keys", "ON", 1);
    // A login that was replaced leaves no trace in the file; for the rest that would only cost time.
    settle(database, "secure_delete", synchronous === "FULL" ? "ON" : "OFF", synchronous === "FULL" ? 1 : 0);
    settle(database, "wal_autocheckpoint", String(longestLog), longestLog);
    return database;
  } catch (error) {
    database.close();
    if (!(error instanceof UnsettledError)) throw error;
    throw new StoreError(
      `The database ${path} lies on a file system that cannot keep it safe. Set "store" to a file on a local disk.`,
    );
  }
}

/** Moves the -wal file's content into the database, unless another process is reading it just now. */
export function emptyWal(database: Database.Database): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Nothing is lost: what was not moved stays in the -wal file and is read from there.
  }
}

class UnsettledError extends Error {}

/** SQLite answers a setting that it does not take with the old value, not with an error. */
function settle(database: Database.Database, pragma: string, value: string, expected: unknown): void {
  database.exec(`PRAGMA ${pragma} = ${value}`);
  if (readPragma(database, pragma) !== expected) throw new UnsettledError(pragma);
}

/** A row, checked. Not `Value.Parse`: its errors hold the values. */
export function readRow<T extends TSchema>(schema: T, row: unknown): Static<T> {
  if (Value.Check(schema, row)) return row;
  throw new Error("A row has another shape than its table.");
}
