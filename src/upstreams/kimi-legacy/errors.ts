import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { asText, type JsonObject } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import {
  accessRefused,
  answerFailed,
  chatNotFound,
  contentFiltered,
  contextTooLong,
  type KimiErrorKind,
  loginExpired,
  overloaded,
  rateLimited,
  requestNotUnderstood,
  timedOut,
} from "../kimi-shared/errors.js";
import { quoteServiceMessage } from "../quote-service-message.js";

const accountBusy: KimiErrorKind = {
  code: "account_busy",
  message: "Kimi is still answering something else on this account, and it gives one answer at a time.",
};

/** Whether an error body is Kimi's. */
export function hasKimiForm({ error_type }: JsonObject): boolean {
  return asText(error_type) !== undefined;
}

/** The error types that are documented (kimi-web.md §1.6). */
const kindByType: readonly [types: RegExp, kind: KimiErrorKind][] = [
  [/^auth\.token\.invalid$/, loginExpired],
  [/^chat\.user_stream_pushing$/, accountBusy],
  [/^chat\.forbidden$|\.not_found$/, chatNotFound],
  [/^(kimi\.completion\.overloaded|openai\.completion\.stream)$/, overloaded],
  [/\.token_length|^long_text_flash_catcher_limit$/, contextTooLong],
];

/**
 * Words of a content filter. Other errors are no content filter, although one client treats all of them as one
 * (kimi-web.md §1.6).
 */
const contentFilterWords =
  /content_?(filter|polic|secur|safe)|sensitive|moderation|内容(安全|违规)|违规|敏感/i;

const kindByStatus: Record<number, KimiErrorKind> = {
  400: requestNotUnderstood,
  401: loginExpired,
  403: accessRefused,
  404: chatNotFound,
  429: rateLimited,
  502: overloaded,
  503: overloaded,
  504: timedOut,
};

/** Seconds until a retry if Kimi does not say how many. */
const defaultRetryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  account_busy: 2,
  upstream_overloaded: 5,
  rate_limited: 30,
};

/** The HTTP response of a failure; empty for a failure inside a stream. */
export type FailedResponse = { status?: number; retryAfterSeconds?: number | undefined };

/** Converts `{error_type, message}`, from a response or from the `error` of an event, to the client's error. */
export function failureToError(
  failure: JsonObject,
  drift: ProtocolDrift,
  response: FailedResponse = {},
): GatewayError {
  const type = asText(failure.error_type) ?? "";
  const message = asText(failure.message);
  const kindOfType = kindByType.find(([types]) => types.test(type))?.[1];
  if (type !== "" && !kindOfType) drift.record("reason", type);
  const filtered =
    contentFilterWords.test(type) || contentFilterWords.test(message ?? "") ? contentFiltered : undefined;
  const kind = kindOfType ?? filtered ?? kindByStatus[response.status ?? 0] ?? answerFailed;
  const retryAfterSeconds = response.retryAfterSeconds ?? defaultRetryAfterSeconds[kind.code];
  // A 429 in which Kimi says nothing itself: there is no documented type of a rate limit (kimi-web.md §1.6).
  const isUncertain = kind === rateLimited && response.retryAfterSeconds === undefined;
  return new GatewayError(kind.code, kind.message + quoteServiceMessage("Kimi", message), {
    ...(isUncertain ? { isAccountWide: false } : {}),
    upstreamCode: type || (response.status === undefined ? "unknown" : `http_${response.status}`),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Whether Kimi rejected the access token, so that a token refresh may help. */
export function isRejectedAccessToken(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    (error.upstreamCode === "auth.token.invalid" || error.upstreamCode === "http_401")
  );
}
