import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { asObject, asText, isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import {
  accessRefused,
  answerFailed,
  chatBusy,
  chatNotFound,
  contentFiltered,
  contextTooLong,
  type KimiErrorKind,
  loginExpired,
  overloaded,
  quotaExceeded,
  rateLimited,
  requestNotUnderstood,
  timedOut,
} from "../kimi-shared/errors.js";
import { quoteServiceMessage } from "../quote-service-message.js";
import { reasonName, severityName } from "./enums.js";

/** An error of Kimi's, from a unary body, a trailer or a `block.exception`. */
export type KimiFailure = {
  /** Connect code, such as `resource_exhausted`; empty inside an answer. */
  code: string;
  /** Without its `REASON_` prefix. */
  reason: string;
  severity: string;
  /** Kimi's own message for people. */
  localizedMessage: string | undefined;
  needsUpgrade: boolean;
};

/** What Kimi says, whatever the code, when the access token ends before the answer (kimi-web.md §6 #10). */
const expiredToken = /\b(token is expired|invalid user token)\b/i;

/** Parses `{code, message, details:[{debug:{reason, localizedMessage, paywall}}]}` (kimi-web.md §2.9). */
export function parseFailure(error: JsonObject): KimiFailure {
  const details = objectsIn(error.details).map((detail) => asObject(detail.debug) ?? detail);
  const debug =
    details.find((detail) => detail.reason !== undefined) ?? details[0] ?? asObject(error.debug) ?? error;
  const code = asText(error.code) ?? "";
  return {
    code: expiredToken.test(asText(error.message) ?? "") ? "unauthenticated" : code,
    reason: reasonName(debug.reason),
    severity: severityName(debug.severity),
    localizedMessage: asText(asObject(debug.localizedMessage)?.message),
    needsUpgrade: asObject(debug.paywall)?.needUpgrade === true,
  };
}

/** Whether an error body is Kimi's: Connect's, or that of a legacy path (kimi-web.md §2.9). */
export function hasKimiForm({ code, details, error, error_type }: JsonObject): boolean {
  return (
    [code, error_type].some((name) => asText(name) !== undefined) || isObject(error) || Array.isArray(details)
  );
}

/** The reasons of the site's own enum (kimi-web.md §2.9). */
const kindByReason: Record<string, KimiErrorKind> = {
  INVALID_AUTH_TOKEN: loginExpired,
  ANONYMOUS_REQUIRE_LOGIN: {
    code: "account_login_required",
    message:
      "Kimi says that nobody is logged in: the access token is missing or is a refresh token. Give Moonbridge new tokens.",
  },
  CONTENT_FILTER: contentFiltered,
  TOKEN_LENGTH_TOO_LONG: contextTooLong,
  INCONSISTENT_FILE_TYPE: {
    code: "file_rejected",
    message: "Kimi refused a file: its content does not match its type.",
  },
  REQUEST_ERROR: answerFailed,
  CHAT_INTERRUPTED: answerFailed,
  CHAT_FATAL_ERROR: answerFailed,
  EXCEED_TOOL_CALL_MAX_ROUNDS: answerFailed,
  LLM_UNAVAILABLE: overloaded,
  COMPLETION_OVERLOADED: overloaded,
  SERVER_OVERLOADED_FOR_FREE_USER: overloaded,
  TEXT_USAGE_EXCEEDED: quotaExceeded,
  THINK_USAGE_EXCEEDED: quotaExceeded,
  K2_USAGE_EXCEEDED: quotaExceeded,
  DEEP_RESEARCH_USAGE_EXCEEDED: quotaExceeded,
  ANONYMOUS_USAGE_EXCEEDED: quotaExceeded,
  ABNORMAL_USER_USAGE_EXCEEDED: quotaExceeded,
  ABNORMAL_USER_SURVEY_REQUIRED: quotaExceeded,
  REQUEST_RATE_EXCEEDED: rateLimited,
  RATE_LIMIT_EXCEEDED: rateLimited,
  RESEARCH_TASK_CONCURRENT_LIMIT: rateLimited,
  CHAT_IN_PROGRESS: chatBusy,
};

/** Reasons that refuse the account as a whole. Other rate limits may concern one request, chat or kind of task. */
const accountWideReasons = new Set(["REQUEST_RATE_EXCEEDED", "RATE_LIMIT_EXCEEDED"]);

/** Seconds until a retry if Kimi does not say how many. */
const defaultRetryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  rate_limited: 30,
  upstream_overloaded: 30,
  chat_busy: 3,
};

/** Whether the reason is one of the site's enum. */
export function isKnownReason(reason: string): boolean {
  return Object.hasOwn(kindByReason, reason);
}

/** Connect's codes, for failures without a known reason. */
const kindByCode: Record<string, KimiErrorKind> = {
  unauthenticated: loginExpired,
  permission_denied: accessRefused,
  resource_exhausted: rateLimited,
  invalid_argument: requestNotUnderstood,
  not_found: chatNotFound,
  failed_precondition: answerFailed,
  unavailable: overloaded,
  deadline_exceeded: timedOut,
  canceled: { code: "upstream_cut", message: "Kimi stopped this answer." },
};

/** Connect's table from HTTP status to code, for error objects without one. */
const codeByStatus: Record<number, string> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  429: "resource_exhausted",
  502: "unavailable",
  503: "unavailable",
  504: "deadline_exceeded",
};

/** Converts a failure of Kimi's to the client's error. Unknown reasons and codes are recorded as drift. */
export function failureToError(
  failure: KimiFailure,
  drift: ProtocolDrift,
  retryAfterSeconds?: number,
): GatewayError {
  const known = kindByReason[failure.reason];
  if (failure.reason !== "" && !known) drift.record("reason", failure.reason);
  if (!known && failure.code !== "" && !kindByCode[failure.code]) drift.record("code", failure.code);
  const kind = failure.needsUpgrade ? quotaExceeded : (known ?? kindByCode[failure.code] ?? answerFailed);
  const message = kind.message + quoteServiceMessage("Kimi", failure.localizedMessage);
  const retryAfter = retryAfterSeconds ?? defaultRetryAfterSeconds[kind.code];
  const isUncertain = retryAfterSeconds === undefined && !accountWideReasons.has(failure.reason);
  return new GatewayError(kind.code, message, {
    upstreamCode: failure.reason || failure.code || "unknown",
    ...(isUncertain ? { isAccountWide: false } : {}),
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  });
}

/** Converts an HTTP response other than 200 to an error; `body` may be any JSON (kimi-web.md §2.9). */
export function statusToError(
  status: number,
  body: JsonObject,
  drift: ProtocolDrift,
  retryAfterSeconds?: number,
): GatewayError {
  const failure = parseFailure(body);
  const code = failure.code || codeByStatus[status] || (status >= 500 ? "unavailable" : "unknown");
  const legacyReason = asText(body.error_type) === "auth.token.invalid" ? "INVALID_AUTH_TOKEN" : "";
  const reason = failure.reason || legacyReason;
  // A 429 stays a rate limit, even if its reason is an overload.
  const isRateLimited = status === 429 && kindByReason[reason] === overloaded;
  return failureToError({ ...failure, code, reason: isRateLimited ? "" : reason }, drift, retryAfterSeconds);
}

/** Whether Kimi rejected the access token, so that a token refresh may help (kimi-web.md §2.9). */
export function isRejectedAccessToken(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    (error.upstreamCode === "INVALID_AUTH_TOKEN" || error.upstreamCode === "unauthenticated")
  );
}

/** Whether Kimi refused the form of a request, rather than its content. */
export function isInvalidArgument(error: unknown): boolean {
  return error instanceof GatewayError && error.upstreamCode === "invalid_argument";
}

/** The answer is in another chat, or after another message, than was requested; the chat must not be continued. */
export function wrongPlaceError(): GatewayError {
  return new GatewayError(
    "upstream_protocol",
    "Kimi answered in another place of its chat than was requested, so this answer is not shown. Send the message again.",
    { upstreamCode: "wrong_place" },
  );
}
