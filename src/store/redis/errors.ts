import {
  ConnectionTimeoutError,
  ErrorReply,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
} from "@redis/client";
import { redisMessages } from "../../i18n/redis-messages.js";
import { type LocalizedText, text } from "../../i18n/text.js";
import { errorCode } from "../../lib/error-code.js";
import { StoreError } from "../errors.js";

/** No reply came in time. */
export class NoReplyError extends Error {
  override readonly name = "NoReplyError";
}

/** Redis refused a command or could not be reached. */
export class RedisError extends StoreError {
  /** The first word of the error reply, such as `NOSCRIPT`, or the code of a failed connection; may be empty. */
  readonly code: string;

  constructor(message: LocalizedText, code: string) {
    super(message);
    this.code = code;
  }
}

type Description = readonly [codes: RegExp, describe: (address: string) => LocalizedText];

/** By the first word of an error reply. */
const replyDescriptions: readonly Description[] = [
  [/^(NOAUTH|WRONGPASS)$/, redisMessages.wrongPassword],
  [/^DB_INDEX$/, redisMessages.noSuchDatabase],
  [/^NOPERM$/, redisMessages.notPermitted],
  [/^OOM$/, redisMessages.full],
  [/^READONLY$/, redisMessages.readOnly],
  [/^MISCONF$/, redisMessages.cannotPersist],
  [/^(LOADING|BUSY|MASTERDOWN|NOREPLICAS|TRYAGAIN)$/, redisMessages.notReady],
  [/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)$/, redisMessages.isCluster],
  [/^/, redisMessages.refused],
];

/** By the code of a connection's failure. */
const connectionDescriptions: readonly Description[] = [
  [/CERT|^ERR_TLS|^ERR_SSL|UNABLE_TO_VERIFY/, redisMessages.tlsFailed],
  [/^E/, redisMessages.unreachable],
  [/^/, redisMessages.failed],
];

/** Converts any error. It has no `cause`: replies and parsers can quote stored values. */
export function toRedisError(address: string, error: unknown): RedisError {
  if (error instanceof RedisError) return error;
  if (isMissedReply(error)) return new RedisError(redisMessages.noReply(address), "");
  if (error instanceof SocketClosedUnexpectedlyError)
    return new RedisError(redisMessages.unreachable(address), "");
  const isReply = error instanceof ErrorReply;
  const code = isReply ? replyCode(error.message) : connectionCode(error);
  const descriptions = isReply ? replyDescriptions : connectionDescriptions;
  const describe = descriptions.find(([codes]) => codes.test(code))?.[1] ?? redisMessages.failed;
  const { en, zh } = describe(address);
  return new RedisError(code === "" ? text(en, zh) : text(`${en} (${code})`, `${zh}（${code}）`), code);
}

function isMissedReply(error: unknown): boolean {
  return [NoReplyError, ConnectionTimeoutError, SocketTimeoutError].some((type) => error instanceof type);
}

function replyCode(message: string): string {
  // The replies of a server with a password of the older kind, or without any.
  if (/^ERR (invalid password|AUTH |Client sent AUTH)/.test(message)) return "WRONGPASS";
  if (/^ERR (invalid )?DB index/i.test(message)) return "DB_INDEX";
  return /^([A-Z]+)(?: |$)/.exec(message)?.[1] ?? "";
}

function connectionCode(error: unknown): string {
  const code = errorCode(error) ?? "";
  return /^[A-Z_]+$/.test(code) ? code : "";
}
