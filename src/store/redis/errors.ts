import { ConnectionTimeoutError, ErrorReply, SocketTimeoutError } from "@redis/client";
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

const descriptions: readonly [codes: RegExp, describe: (address: string) => LocalizedText][] = [
  [/^(NOAUTH|WRONGPASS)$/, redisMessages.wrongPassword],
  [/^NOPERM$/, redisMessages.notPermitted],
  [/^OOM$/, redisMessages.full],
  [/^READONLY$/, redisMessages.readOnly],
  [/^MISCONF$/, redisMessages.cannotPersist],
  [/^(LOADING|BUSY|MASTERDOWN|NOREPLICAS|TRYAGAIN)$/, redisMessages.notReady],
  [/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)$/, redisMessages.isCluster],
  [/^no_reply$/, redisMessages.noReply],
  [/CERT|^ERR_TLS|^ERR_SSL|UNABLE_TO_VERIFY/, redisMessages.tlsFailed],
  [/^E[A-Z_]+$/, redisMessages.unreachable],
];

/** Converts any error. It has no `cause`: replies and parsers can quote stored values. */
export function toRedisError(address: string, error: unknown): RedisError {
  if (error instanceof RedisError) return error;
  const code = codeOf(error);
  const describe = descriptions.find(([codes]) => codes.test(code))?.[1];
  if (describe) return new RedisError(withCode(describe(address), code), code);
  // Without a word of its own, an error reply may quote a command.
  return new RedisError(
    withCode(
      error instanceof ErrorReply ? redisMessages.refused(address) : redisMessages.failed(address),
      code,
    ),
    code,
  );
}

function codeOf(error: unknown): string {
  if (
    error instanceof NoReplyError ||
    error instanceof ConnectionTimeoutError ||
    error instanceof SocketTimeoutError
  )
    return "no_reply";
  if (error instanceof ErrorReply) {
    // The reply of a server with a password of the older kind, or without any.
    if (/^ERR (invalid password|AUTH |Client sent AUTH)/.test(error.message)) return "WRONGPASS";
    return /^([A-Z]+)(?: |$)/.exec(error.message)?.[1] ?? "";
  }
  const code = errorCode(error) ?? "";
  return /^[A-Z_]+$/.test(code) ? code : "";
}

function withCode({ en, zh }: LocalizedText, code: string): LocalizedText {
  return code === "" || code === "no_reply" ? text(en, zh) : text(`${en} (${code})`, `${zh}（${code}）`);
}
