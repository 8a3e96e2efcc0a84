import type { ErrorCode, GatewayError } from "../../core/errors.js";
import {
  wireCode as chatCode,
  errorEnvelope as chatEnvelope,
  type ErrorEnvelope,
} from "../openai-chat/errors.js";

/** OpenAI's envelope; here a conversation is named by one of its answers, and messages are the input. */
export function errorEnvelope(error: GatewayError): ErrorEnvelope {
  const { error: details } = chatEnvelope(error);
  const param = details.param === "messages" ? "input" : details.param;
  const message = details.message.replace(/^messages: /, "input: ");
  return { error: { ...details, message, param, code: wireCode(error.code) } };
}

/** The fields of the event `error`: those that OpenAI documents, and the object that it sends. */
export function errorEventFields(error: GatewayError): Record<string, unknown> {
  const { error: details } = errorEnvelope(error);
  const { code, message, param } = details;
  return { code, message, param, error: details };
}

/** The code on the wire. */
export function wireCode(code: ErrorCode): string {
  return code === "conversation_not_found" ? "previous_response_not_found" : chatCode(code);
}

/**
 * Codes of `response.failed` on which Codex acts (clients.md §4.2). It sends the request again, up to five times, for
 * `server_error`, and never for the others. It shows the message of `invalid_prompt` alone and has texts of its own for the
 * rest, so that what a person can do something about has that code.
 */
type FailureCode =
  | "server_error"
  | "server_is_overloaded"
  | "insufficient_quota"
  | "context_length_exceeded"
  | "invalid_prompt";

/**
 * `failsStream`: before the first event, too, the stream of Codex fails with `response.failed` instead of an HTTP status,
 * which it would answer with up to thirty requests, or, for 429, by giving up (clients.md §0.9, §7 rows 14, 15 and 17).
 */
type Failure = { code: FailureCode; failsStream?: true };

const failures: Record<ErrorCode, Failure> = {
  invalid_request: { code: "invalid_prompt" },
  unknown_parameter: { code: "invalid_prompt" },
  context_length_exceeded: { code: "context_length_exceeded", failsStream: true },
  content_filter: { code: "invalid_prompt" },
  file_rejected: { code: "invalid_prompt" },
  link_forbidden: { code: "invalid_prompt" },
  link_unreachable: { code: "invalid_prompt" },
  invalid_api_key: { code: "invalid_prompt" },
  insufficient_scope: { code: "invalid_prompt" },
  origin_forbidden: { code: "invalid_prompt" },
  model_not_found: { code: "invalid_prompt" },
  conversation_not_found: { code: "invalid_prompt" },
  not_found: { code: "server_error" },
  request_timeout: { code: "server_error" },
  request_too_large: { code: "invalid_prompt" },
  unsupported_media_type: { code: "invalid_prompt" },
  file_storage_full: { code: "invalid_prompt" },
  headers_too_large: { code: "invalid_prompt" },
  account_busy: { code: "invalid_prompt", failsStream: true },
  chat_busy: { code: "invalid_prompt", failsStream: true },
  rate_limited: { code: "invalid_prompt", failsStream: true },
  quota_exceeded: { code: "insufficient_quota", failsStream: true },
  budget_exceeded: { code: "invalid_prompt", failsStream: true },
  internal: { code: "server_error" },
  upstream_protocol: { code: "server_error", failsStream: true },
  upstream_cut: { code: "server_error", failsStream: true },
  upstream_unavailable: { code: "server_error", failsStream: true },
  upstream_overloaded: { code: "server_is_overloaded", failsStream: true },
  account_login_required: { code: "invalid_prompt", failsStream: true },
  issuer_unavailable: { code: "server_error" },
  store_unavailable: { code: "server_error" },
  server_busy: { code: "server_error" },
  shutting_down: { code: "server_error", failsStream: true },
  timeout: { code: "server_error", failsStream: true },
  cancelled: { code: "server_error" },
};

/** The `error` of a failed response. What a retry cannot solve is not sent again. */
export function failureObject({ code, message, retryable }: GatewayError): {
  code: FailureCode;
  message: string;
} {
  const failure = failures[code].code;
  return { code: failure === "server_error" && !retryable ? "invalid_prompt" : failure, message };
}

/**
 * Whether a stream that has not begun ends with `response.failed` for this error. `accept`: the request's header. Codex
 * accepts nothing but events; SDKs accept JSON, too, and act on the status (clients.md §2.2, §3.1, §4.2).
 */
export function failsStream(error: GatewayError, accept: string | undefined): boolean {
  const acceptsEventsOnly = accept?.trim().toLowerCase() === "text/event-stream";
  return acceptsEventsOnly && (failures[error.code].failsStream ?? false);
}
