import { rmSync } from "node:fs";
import { access } from "node:fs/promises";
import Database from "libsql";
import { storeMessages } from "../../i18n/store-messages.js";
import { errorCode } from "../../lib/error-code.js";
import { StoreError, toStoreError } from "../errors.js";
import { busyTimeout, checkDatabase, restrictPermissions } from "./database-file.js";

/**
 * Writes a consistent copy of a database into a file that does not exist yet, while other processes go on writing. Throws
 * StoreError.
 */
export async function backUpDatabase(path: string, copy: string): Promise<void> {
  try {
    // Opening would create it.
    await access(path);
  } catch (cause) {
    throw new StoreError(storeMessages.noDatabase(path), { cause });
  }
  try {
    checkDatabase(path);
    const database = new Database(path, { timeout: busyTimeout });
    try {
      writeCopy(database, copy);
    } finally {
      database.close();
    }
    await restrictPermissions(copy);
  } catch (error) {
    throw toStoreError(path, error);
  }
}

/** A full disk is the copy's: the database is only read. What was written of the copy is removed. */
function writeCopy(database: Database.Database, copy: string): void {
  try {
    database.prepare("VACUUM INTO ?").run(copy);
  } catch (error) {
    rmSync(copy, { force: true });
    throw errorCode(error)?.startsWith("SQLITE_FULL") ? toStoreError(copy, error) : error;
  }
}
