import { errorCode } from "../lib/error-code.js";

/** A store that cannot be read or written; the message names the file and the remedy, never what the file holds. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

const unwritable = `cannot be written. Let this user write the file and its folder, or set "store" to another file.`;
const damaged =
  "is damaged. It holds refreshed tokens, API key hashes and where conversations stand: restore it from a backup, " +
  "or move it away together with its -wal and -shm files and log in again.";
const foreign = `is not a database, or is damaged. Restore it from a backup, move it away, or set "store" to another file.`;
const busy = "is held by another process. Try again; if that does not help, stop the other process.";

/** What SQLite's result codes mean to whoever runs Moonbridge. */
const meanings: readonly [codes: RegExp, meaning: string][] = [
  [/^SQLITE_FULL/, "cannot be written: the disk is full. Free some space."],
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, busy],
  [/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/, unwritable],
  [/^SQLITE_NOTADB/, foreign],
  [/^SQLITE_CORRUPT/, damaged],
  [
    /^SQLITE_IOERR/,
    "could not be read or written: the disk reports an error. Check the disk and its free space.",
  ],
];

/** The error as a sentence. There is no cause: messages of SQLite and of parsers can quote what they stumbled over. */
export function storeError(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = sqliteCode(error);
  const meaning = meanings.find(([codes]) => codes.test(code))?.[1] ?? "could not be read or written.";
  return new StoreError(`The database ${path} ${meaning}${code && ` (${code})`}`);
}

export function damagedError(path: string): StoreError {
  return new StoreError(`The database ${path} ${damaged}`);
}

function sqliteCode(error: unknown): string {
  const code = errorCode(error) ?? "";
  return /^SQLITE_[A-Z_]+$/.test(code) ? code : "";
}
