import { access } from "node:fs/promises";
import Database from "libsql";
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
    throw new StoreError(`There is no database ${path}, or it cannot be read.`, { cause });
  }
  try {
    checkDatabase(path);
    const database = new Database(path, { timeout: busyTimeout });
    try {
      database.prepare("VACUUM INTO ?").run(copy);
    } finally {
      database.close();
    }
    await restrictPermissions(copy);
  } catch (error) {
    throw toStoreError(path, error);
  }
}
