import { GatewayError } from "../../core/errors.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import type { Drift } from "../../observability/protocol-drift.js";
import {
  accessRefused,
  broken,
  filtered,
  gone,
  loginExpired,
  type Meaning,
  notUnderstood,
  overloaded,
  quota,
  rate,
  tooLong,
  tooSlow,
} from "../kimi-shared/errors.js";
import { quote } from "../quote.js";

/** What an error of Kimi's says, wherever it stood: unary body, trailer or `block.exception`. */
export type KimiFailure = {
  /** Connect code, such as `resource_exhausted`; empty inside an answer. */
  code: string;
  /** Without its `REASON_` prefix. */
  reason: string;
  severity: string;
  /** Kimi's own sentence for people. */
  sentence: string | undefined;
  needsUpgrade: boolean;
};

/** Reads `{code, message, details:[{debug:{reason, localizedMessage, paywall}}]}` (kimi-web.md §2.9). */
export function readFailure(error: JsonObject): KimiFailure {
  const details = objectsIn(error.details).map((detail) => asObject(detail.debug) ?? detail);
  const debug =
    details.find((detail) => detail.reason !== undefined) ?? details[0] ?? asObject(error.debug) ?? error;
  return {
    code: asText(error.code) ?? "",
    reason: (asText(debug.reason) ?? "").replace(/^REASON_/, ""),
    severity: (asText(debug.severity) ?? "").replace(/^SEVERITY_/, ""),
    sentence: asText(asObject(debug.localizedMessage)?.message),
    needsUpgrade: asObject(debug.paywall)?.needUpgrade === true,
  };
}

/** The reasons of the site's own enum (kimi-web.md §2.9). */
const byReason: Record<string, Meaning> = {
  INVALID_AUTH_TOKEN: loginExpired,
  ANONYMOUS_REQUIRE_LOGIN: {
    code: "account_login_required",
    message:
      "Kimi says that nobody is logged in: the access token is missing or is a refresh token. Give Moonbridge new tokens.",
  },
  CONTENT_FILTER: filtered,
  TOKEN_LENGTH_TOO_LONG: tooLong,
  INCONSISTENT_FILE_TYPE: {
    code: "file_rejected",
    message: "Kimi refused a file: its content does not match its type.",
  },
  REQUEST_ERROR: broken,
  CHAT_INTERRUPTED: broken,
  CHAT_FATAL_ERROR: broken,
  EXCEED_TOOL_CALL_MAX_ROUNDS: broken,
  LLM_UNAVAILABLE: overloaded,
  COMPLETION_OVERLOADED: overloaded,
  SERVER_OVERLOADED_FOR_FREE_USER: overloaded,
  TEXT_USAGE_EXCEEDED: quota,
  THINK_USAGE_EXCEEDED: quota,
  K2_USAGE_EXCEEDED: quota,
  DEEP_RESEARCH_USAGE_EXCEEDED: quota,
  ANONYMOUS_USAGE_EXCEEDED: quota,
  ABNORMAL_USER_USAGE_EXCEEDED: quota,
  ABNORMAL_USER_SURVEY_REQUIRED: quota,
  REQUEST_RATE_EXCEEDED: rate,
  RATE_LIMIT_EXCEEDED: rate,
  RESEARCH_TASK_CONCURRENT_LIMIT: rate,
};

/** Connect's codes, for failures without a reason that we know. */
const byCode: Record<string, Meaning> = {
  unauthenticated: loginExpired,
  permission_denied: accessRefused,
  resource_exhausted: rate,
  invalid_argument: notUnderstood,
  not_found: gone,
  failed_precondition: broken,
  unavailable: overloaded,
  deadline_exceeded: tooSlow,
  canceled: { code: "upstream_cut", message: "Kimi stopped this answer." },
};

/** Connect's own table from HTTP status to code, for answers whose body is not an error object. */
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

/** A failure of Kimi's as the error that the client gets. */
export function failureToError(failure: KimiFailure, drift: Drift, retryAfterSeconds?: number): GatewayError {
  const known = byReason[failure.reason];
  if (failure.reason !== "" && !known) drift.note("reason", failure.reason);
  if (!known && failure.code !== "" && !byCode[failure.code]) drift.note("code", failure.code);
  const meaning = failure.needsUpgrade ? quota : (known ?? byCode[failure.code] ?? broken);
  const message = meaning.message + quote("Kimi", failure.sentence);
  const retryAfter = retryAfterSeconds ?? (meaning === rate || meaning === overloaded ? 30 : undefined);
  return new GatewayError(meaning.code, message, {
    upstreamCode: failure.reason || failure.code || "unknown",
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  });
}

/** An HTTP answer that is not 200 as an error; `body` may be anything (kimi-web.md §2.9). */
export function statusToError(
  status: number,
  body: JsonObject | undefined,
  drift: Drift,
  retryAfterSeconds?: number,
): GatewayError {
  const failure = readFailure(body ?? {});
  const code = failure.code || codeByStatus[status] || (status >= 500 ? "unavailable" : "unknown");
  const legacy = asText(body?.error_type) === "auth.token.invalid" ? "INVALID_AUTH_TOKEN" : "";
  const reason = failure.reason || legacy;
  // A 429 stays one, even where its reason speaks of overload.
  const rateLimited = status === 429 && byReason[reason] === overloaded;
  return failureToError(
    { ...failure, code, reason: rateLimited ? "REQUEST_RATE_EXCEEDED" : reason },
    drift,
    retryAfterSeconds,
  );
}

/** True where Kimi refused the access token itself, so that a refresh may help (kimi-web.md §2.9). */
export function isExpiredLogin(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    (error.upstreamCode === "INVALID_AUTH_TOKEN" || error.upstreamCode === "unauthenticated")
  );
}
