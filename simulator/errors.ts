import type { JsonObject } from "./json.js";

/** HTTP status of each Connect code in a unary response (kimi-web.md §2.9). */
const httpStatuses = {
  canceled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  internal: 500,
  unavailable: 503,
  unauthenticated: 401,
};

export type ErrorCode = keyof typeof httpStatuses;

/** The content of an error response, independent of the protocol. */
export type ErrorFields = {
  code: ErrorCode;
  /** `REASON_…`. Over the legacy protocol, an error type in lower case is also accepted. */
  reason?: string | undefined;
  /** The message for users, sent as `localizedMessage`; by default Kimi's text for the reason. */
  message?: string | undefined;
  /** True for the paywall of a used-up quota, or the JSON of another paywall. */
  paywall?: boolean | JsonObject | undefined;
};

const englishMessages: Record<string, string> = {
  REASON_INVALID_AUTH_TOKEN: "Please log in again.",
  REASON_ANONYMOUS_REQUIRE_LOGIN: "Please log in to continue.",
  REASON_SERVER_OVERLOADED_FOR_FREE_USER:
    "Too many people are chatting with Kimi right now. Subscribe to enter a priority queue!",
  REASON_COMPLETION_OVERLOADED: "Too many people are chatting with Kimi right now.",
  REASON_CONTENT_FILTER: "Let's talk about something else.",
  REASON_TOKEN_LENGTH_TOO_LONG:
    "Your conversation with Kimi is getting too long. Try starting a new session.",
};

const chineseMessages: Record<string, string> = {
  REASON_INVALID_AUTH_TOKEN: "请重新登录。",
  REASON_ANONYMOUS_REQUIRE_LOGIN: "请先登录。",
  REASON_COMPLETION_OVERLOADED: "不好意思，刚刚和Kimi聊的人太多了。",
};

/** Thrown by a handler to refuse a call; the server sends it in the form of the protocol. `message` is the developer message. */
export class ApiError extends Error {
  readonly fields: ErrorFields;

  constructor(fields: ErrorFields, message?: string) {
    super(message);
    this.fields = fields;
  }
}

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(httpStatuses, value);
}

/** The Connect code for an HTTP status, for faults that only have a status (kimi-web.md §2.9). */
export function codeForHttpStatus(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 400) return "invalid_argument";
  for (const [code, codeStatus] of Object.entries(httpStatuses)) {
    if (codeStatus === status && isErrorCode(code)) return code;
  }
  return status >= 500 ? "unavailable" : "unknown";
}

export function httpStatusOf(code: ErrorCode): number {
  return httpStatuses[code];
}

/** The Connect error object: body of a unary response, or `error` of a trailer (kimi-web.md §2.9). */
export function errorJson(error: ApiError, language: string): JsonObject {
  const { code, reason, message, paywall } = error.fields;
  if (!reason && !message && !paywall) return { code, ...(error.message ? { message: error.message } : {}) };
  const debug = {
    ...(reason ? { reason } : {}),
    ...localizedMessage(reason, message, language),
    ...(paywall ? { paywall: paywallJson(paywall) } : {}),
  };
  return {
    code,
    ...(error.message ? { message: error.message } : {}),
    // Connect requires a binary value; its schema is not public, so it stays empty and the content is in `debug`.
    details: [{ type: "common.error.v1.ErrorDetail", value: "", debug }],
  };
}

/** The `localizedMessage` of an error, in the locale of `x-language` (kimi-web.md §2.2); empty without a known text. */
export function localizedMessage(
  reason: string | undefined,
  message: string | undefined,
  language: string,
): JsonObject {
  const chinese = language.startsWith("zh") ? chineseMessages[reason ?? ""] : undefined;
  const text = message ?? chinese ?? englishMessages[reason ?? ""];
  if (text === undefined) return {};
  const locale = language.startsWith("zh") && text === (message ?? chinese) ? "zh-CN" : "en-US";
  return { localizedMessage: { locale, message: text } };
}

/** The JSON of a paywall; `true` selects the paywall of a used-up quota (kimi-web.md §2.9). */
export function paywallJson(paywall: true | JsonObject): JsonObject {
  if (paywall !== true) return paywall;
  return { needUpgrade: true, upgradeTo: "LEVEL_ADVANCED", source: "membership_quota_notice" };
}
