import { constants } from "node:fs";
import { access, chmod, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import Database from "libsql";
import { storeMessages } from "../../i18n/store-messages.js";
import { createFolder } from "../../lib/create-folder.js";
import { errorCode } from "../../lib/error-code.js";
import { damagedError, StoreError } from "../errors.js";
import { applicationId, migrations, readPragma, readSchemaVersion } from "./migrations.js";

/** How long a call waits for another process that is writing, in milliseconds. */
export const busyTimeout = 5_000;
/** Larger files skip the integrity check, which reads the whole file: about 2 ms per MB. */
const maxCheckedBytes = 64 * 1_024 * 1_024;

/**
 * Creates the file and its folder if they are missing, readable by their owner only: SQLite would create a
 * world-readable file, and its -wal and -shm files inherit the mode. An existing file is not opened, because closing it
 * would release all locks that SQLite holds on it in this process (sqlite.org/howtocorrupt.html §2.2).
 */
export async function prepareFile(path: string): Promise<void> {
  try {
    await createFolder(dirname(path));
    await access(dirname(path), constants.W_OK);
    await createFile(path);
    await access(path, constants.R_OK | constants.W_OK);
    if ((await stat(path)).isFile()) return;
  } catch (cause) {
    throw new StoreError(storeMessages.cannotOpen(path), { cause });
  }
  throw new StoreError(storeMessages.notAFile(path));
}

async function createFile(path: string): Promise<void> {
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/**
 * Makes the files of an existing database readable by their owner only: a restored backup may be world-readable.
 * Ignores files of another user.
 */
export async function restrictPermissions(path: string): Promise<void> {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await chmod(file, 0o600).catch(() => {});
}

/** Throws StoreError unless this is an intact database of Moonbridge, of this version or older. Changes nothing. */
export function checkDatabase(path: string): void {
  const database = new Database(path, { timeout: busyTimeout });
  try {
    const tables = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").raw().get();
    if (tables !== undefined && readPragma(database, "application_id") !== applicationId) {
      throw new StoreError(storeMessages.otherProgram(path));
    }
    if (readSchemaVersion(database) > migrations.length) {
      throw new StoreError(storeMessages.newerVersion(path));
    }
    const size = Number(readPragma(database, "page_count")) * Number(readPragma(database, "page_size"));
    if (size < maxCheckedBytes && readPragma(database, "quick_check(1)") !== "ok") throw damagedError(path);
  } finally {
    database.close();
  }
}

/**
 * Opens a connection in WAL mode. `FULL` survives a power cut and costs an fsync per write; `NORMAL` survives the
 * process being killed at any moment.
 */
export function connect(path: string, synchronous: "FULL" | "NORMAL"): Database.Database {
  const database = new Database(path, { timeout: busyTimeout });
  try {
    setPragma(database, "journal_mode", "WAL", "wal");
    setPragma(database, "synchronous", synchronous, synchronous === "FULL" ? 2 : 1);
    setPragma(database, "foreign_keys", "ON", 1);
    // Overwrites replaced credentials in the file; for other tables that would only cost time.
    setPragma(
      database,
      "secure_delete",
      synchronous === "FULL" ? "ON" : "OFF",
      synchronous === "FULL" ? 1 : 0,
    );
    return database;
  } catch (error) {
    database.close();
    if (!(error instanceof PragmaRejectedError)) throw error;
    throw new StoreError(storeMessages.unsafeFileSystem(path));
  }
}

/** Checkpoints and empties the -wal file, unless another process is reading it. */
export function truncateWal(database: Database.Database): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Nothing is lost: SQLite also reads the -wal file.
  }
}

class PragmaRejectedError extends Error {}

/** Checks the result, since SQLite keeps the old value of a pragma that it cannot apply, without an error. */
function setPragma(database: Database.Database, pragma: string, value: string, expected: unknown): void {
  database.exec(`PRAGMA ${pragma} = ${value}`);
  if (readPragma(database, pragma) !== expected) throw new PragmaRejectedError(pragma);
}

/** A row validated against its schema. Not `Value.Parse`, whose errors contain the values. */
export function readRow<T extends TSchema>(schema: T, row: unknown): Static<T> {
  if (Value.Check(schema, row)) return row;
  throw new Error("A row has another shape than its table.");
}
