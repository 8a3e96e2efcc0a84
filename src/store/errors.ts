import { errorCode } from "../lib/error-code.js";

/** The store cannot be read or written. The message names the file and the remedy, and no content of the file. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

const notWritable = `cannot be written. Let this user write the file and its folder, or set "store" to another file.`;
const damaged =
  "is damaged. It holds refreshed tokens, API key hashes and where conversations stand: restore it from a backup, " +
  "or move it away together with its -wal and -shm files and log in again.";
const notADatabase = `is not a database, or is damaged. Restore it from a backup, move it away, or set "store" to another file.`;
const busy = "is held by another process. Try again; if that does not help, stop the other process.";

/** SQLite's result codes as messages for the operator. */
const descriptions: readonly [codes: RegExp, description: string][] = [
  [/^SQLITE_FULL/, "cannot be written: the disk is full. Free some space."],
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, busy],
  [/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/, notWritable],
  [/^SQLITE_NOTADB/, notADatabase],
  [/^SQLITE_CORRUPT/, damaged],
  [
    /^SQLITE_IOERR/,
    "could not be read or written: the disk reports an error. Check the disk and its free space.",
  ],
];

/** Converts any error. The StoreError has no `cause`: messages of SQLite and of parsers can quote stored values. */
export function toStoreError(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = sqliteCode(error);
  const description =
    descriptions.find(([codes]) => codes.test(code))?.[1] ?? "could not be read or written.";
  return new StoreError(`The database ${path} ${description}${code && ` (${code})`}`);
}

/** The error for a database whose content is corrupt. */
export function damagedError(path: string): StoreError {
  return new StoreError(`The database ${path} ${damaged}`);
}

function sqliteCode(error: unknown): string {
  const code = errorCode(error) ?? "";
  return /^SQLITE_[A-Z_]+$/.test(code) ? code : "";
}
