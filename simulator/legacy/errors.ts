import { type Refusal, statusOf } from "../errors.js";
import type { JsonObject } from "../json.js";

/** A failure in the words of the legacy protocol (kimi-web.md §1.6). */
export type LegacyError = { status: number; type: string; message: string };

/** The legacy error types that come closest to the current protocol's reasons. */
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

/** Where the sources have Kimi's own words, these are they. */
const words: Record<string, string> = {
  "auth.token.invalid": "您的授权已过期，请重新登录",
  "chat.forbidden": "此会话已被禁用",
  "chat.user_stream_pushing": "（模拟）您的上一条回答还在生成中，请稍后再试。",
  "kimi.completion.overloaded": "不好意思，刚刚和Kimi聊的人太多了。",
  "kimi.completion.token_length_too_long": "（模拟）对话长度超过了 20 万字的上限，请开启新会话。",
  "kimi.completion.content_filter": "（模拟）我们换个话题吧。",
  "openai.completion.stream": "Kimi 现在有点累了，请稍后再试。",
};

/** What a refusal is here; a reason in lower case is a legacy error type already. */
export function legacyError({ shape, message }: Refusal): LegacyError {
  const { code, reason = "" } = shape;
  const type = /^[a-z]/.test(reason)
    ? reason
    : (typeByReason[reason] ?? typeByCode[code] ?? "openai.completion.stream");
  return {
    status: type === "auth.token.invalid" ? 401 : statusOf(code),
    type,
    message: shape.message ?? words[type] ?? (message || "（模拟）出错了。"),
  };
}

/** The error as a whole answer. */
export function errorBody({ type, message }: LegacyError): JsonObject {
  return { error_type: type, message };
}

/** The error inside a stream; a failure of the model's own came with the panic of the service behind it. */
export function errorEvent({ type, message }: LegacyError): JsonObject {
  const detail = type === "openai.completion.stream" ? { detail: "panic: simulated" } : {};
  return { event: "error", error: { error_type: type, message, ...detail } };
}

/** Whether a failure is the whole answer or an event of a stream that has begun. */
export function isWholeAnswer({ type }: LegacyError): boolean {
  return /^(auth|chat)\./.test(type);
}
