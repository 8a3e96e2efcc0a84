import { type ApiError, httpStatusOf } from "../errors.js";
import type { JsonObject } from "../json.js";

/** An error in the form of the legacy protocol (kimi-web.md §1.6). */
export type LegacyError = { status: number; type: string; message: string };

/** The closest legacy error type for each reason of the current protocol. */
const typeByReason: Record<string, string> = {
  REASON_INVALID_AUTH_TOKEN: "auth.token.invalid",
  REASON_ANONYMOUS_REQUIRE_LOGIN: "auth.token.invalid",
  REASON_SERVER_OVERLOADED_FOR_FREE_USER: "kimi.completion.overloaded",
  REASON_COMPLETION_OVERLOADED: "kimi.completion.overloaded",
  REASON_TOKEN_LENGTH_TOO_LONG: "kimi.completion.token_length_too_long",
  REASON_CONTENT_FILTER: "kimi.completion.content_filter",
};

const typeByCode: Record<string, string> = {
  unauthenticated: "auth.token.invalid",
  unavailable: "kimi.completion.overloaded",
  resource_exhausted: "kimi.completion.overloaded",
  not_found: "chat.not_found",
  invalid_argument: "chat.invalid_argument",
};

/** Messages by error type. They are Kimi's texts, except those marked （模拟）, simulated. */
const defaultMessages: Record<string, string> = {
  "auth.token.invalid": "您的授权已过期，请重新登录",
  "chat.forbidden": "此会话已被禁用",
  "chat.user_stream_pushing": "（模拟）您的上一条回答还在生成中，请稍后再试。",
  "kimi.completion.overloaded": "不好意思，刚刚和Kimi聊的人太多了。",
  "kimi.completion.token_length_too_long": "（模拟）对话长度超过了 20 万字的上限，请开启新会话。",
  "kimi.completion.content_filter": "（模拟）我们换个话题吧。",
  "openai.completion.stream": "Kimi 现在有点累了，请稍后再试。",
};

/** Converts an error; a reason in lower case is already a legacy error type. */
export function toLegacyError({ fields, message }: ApiError): LegacyError {
  const { code, reason = "" } = fields;
  const type = /^[a-z]/.test(reason)
    ? reason
    : (typeByReason[reason] ?? typeByCode[code] ?? "openai.completion.stream");
  return {
    status: type === "auth.token.invalid" ? 401 : httpStatusOf(code),
    type,
    message: fields.message ?? defaultMessages[type] ?? (message || "（模拟）出错了。"),
  };
}

/** The error as the body of a JSON response. */
export function errorBody({ type, message }: LegacyError): JsonObject {
  return { error_type: type, message };
}

/** The error as an event of a stream. An internal failure had the panic message of a backend service as `detail`. */
export function errorEvent({ type, message }: LegacyError): JsonObject {
  const detail = type === "openai.completion.stream" ? { detail: "panic: simulated" } : {};
  return { event: "error", error: { error_type: type, message, ...detail } };
}

/** True if the error is sent as a JSON response instead of an event of a stream. */
export function isJsonResponse({ type }: LegacyError): boolean {
  return /^(auth|chat)\./.test(type);
}
