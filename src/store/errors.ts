import { StoreFailure } from "../core/store-failure.js";
import { storeMessages } from "../i18n/store-messages.js";
import { type LocalizedText, localize, type Message, text } from "../i18n/text.js";
import { errorCode } from "../lib/error-code.js";

/** The store cannot be read or written. The message names the file and the remedy, and no content of the file. */
export class StoreError extends StoreFailure {
  override readonly name = "StoreError";
  /** The message in every language; `message` is the English one. */
  readonly text: LocalizedText;

  constructor(message: Message, options?: ErrorOptions) {
    const text = localize(message);
    super(text.en, options);
    this.text = text;
  }
}

/** SQLite's result codes as messages for the operator. */
const descriptions: readonly [codes: RegExp, describe: (path: string) => LocalizedText][] = [
  [/^SQLITE_FULL/, storeMessages.diskFull],
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, storeMessages.busy],
  [/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/, storeMessages.notWritable],
  [/^SQLITE_NOTADB/, storeMessages.notADatabase],
  [/^SQLITE_CORRUPT/, storeMessages.damaged],
  [/^SQLITE_IOERR/, storeMessages.diskError],
];

/** Converts any error. The StoreError has no `cause`: messages of SQLite and of parsers can quote stored values. */
export function toStoreError(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = sqliteCode(error);
  const describe = descriptions.find(([codes]) => codes.test(code))?.[1] ?? storeMessages.failed;
  const { en, zh } = describe(path);
  return new StoreError(code === "" ? text(en, zh) : text(`${en} (${code})`, `${zh}（${code}）`));
}

/** The error for a database whose content is corrupt. */
export function damagedError(path: string): StoreError {
  return new StoreError(storeMessages.damaged(path));
}

function sqliteCode(error: unknown): string {
  const code = errorCode(error) ?? "";
  return /^SQLITE_[A-Z_]+$/.test(code) ? code : "";
}
