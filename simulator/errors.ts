import type { JsonObject } from "./json.js";

/** Connect codes and the status of their unary form (kimi-web.md §2.9). */
const statuses = {
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

export type ErrorCode = keyof typeof statuses;

export type ErrorShape = {
  code: ErrorCode;
  /** `REASON_…`, the machine's word for it. */
  reason?: string | undefined;
  /** The words for a person, in `localizedMessage`. */
  message?: string | undefined;
  /** True for the paywall of a used-up quota, or a paywall of one's own. */
  paywall?: boolean | JsonObject | undefined;
};

const englishWords: Record<string, string> = {
  REASON_INVALID_AUTH_TOKEN: "Please log in again.",
  REASON_ANONYMOUS_REQUIRE_LOGIN: "Please log in to continue.",
  REASON_SERVER_OVERLOADED_FOR_FREE_USER:
    "Too many people are chatting with Kimi right now. Subscribe to enter a priority queue!",
  REASON_COMPLETION_OVERLOADED: "Too many people are chatting with Kimi right now.",
  REASON_CONTENT_FILTER: "Let's talk about something else.",
  REASON_TOKEN_LENGTH_TOO_LONG:
    "Your conversation with Kimi is getting too long. Try starting a new session.",
};

const chineseWords: Record<string, string> = {
  REASON_INVALID_AUTH_TOKEN: "请重新登录。",
  REASON_ANONYMOUS_REQUIRE_LOGIN: "请先登录。",
  REASON_COMPLETION_OVERLOADED: "不好意思，刚刚和Kimi聊的人太多了。",
};

/** What a call is refused with; thrown by whoever refuses and put on the wire by the server. */
export class Refusal extends Error {
  readonly shape: ErrorShape;

  constructor(shape: ErrorShape, message?: string) {
    super(message);
    this.shape = shape;
  }
}

export function isErrorCode(word: string): word is ErrorCode {
  return Object.hasOwn(statuses, word);
}

/** The code that fits a status, for faults given by their status alone (kimi-web.md §2.9). */
export function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 400) return "invalid_argument";
  for (const [code, its] of Object.entries(statuses)) {
    if (its === status && isErrorCode(code)) return code;
  }
  return status >= 500 ? "unavailable" : "unknown";
}

export function statusOf(code: ErrorCode): number {
  return statuses[code];
}

/** The Connect error object, unary body or `error` of a trailer alike (kimi-web.md §2.9). */
export function errorJson(refusal: Refusal, language: string): JsonObject {
  const { code, reason, message, paywall } = refusal.shape;
  if (!reason && !message && !paywall)
    return { code, ...(refusal.message ? { message: refusal.message } : {}) };
  const debug = {
    ...(reason ? { reason } : {}),
    ...localized(reason, message, language),
    ...(paywall ? { paywall: paywallOf(paywall) } : {}),
  };
  return {
    code,
    ...(refusal.message ? { message: refusal.message } : {}),
    // Connect demands a binary value; its schema is not public, so it stays empty and `debug` speaks.
    details: [{ type: "common.error.v1.ErrorDetail", value: "", debug }],
  };
}

/** `x-language` decides the locale (kimi-web.md §2.2). */
export function localized(
  reason: string | undefined,
  message: string | undefined,
  language: string,
): JsonObject {
  const chinese = language.startsWith("zh") ? chineseWords[reason ?? ""] : undefined;
  const words = message ?? chinese ?? englishWords[reason ?? ""];
  if (words === undefined) return {};
  const locale = language.startsWith("zh") && words === (message ?? chinese) ? "zh-CN" : "en-US";
  return { localizedMessage: { locale, message: words } };
}

/** The paywall object of a quota notice (kimi-web.md §2.9). */
export function paywallOf(paywall: true | JsonObject): JsonObject {
  if (paywall !== true) return paywall;
  return { needUpgrade: true, upgradeTo: "LEVEL_ADVANCED", source: "membership_quota_notice" };
}
