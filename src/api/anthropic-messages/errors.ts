import type { ErrorCode, GatewayError } from "../../core/errors.js";

/** Anthropic's error envelope; `request_id` is that of the response's headers. */
export type ErrorEnvelope = {
  type: "error";
  error: { type: string; message: string };
  request_id: string;
};

type ErrorNames = { type: string; status?: number };

/**
 * Types on the wire, and the statuses that differ from those of the codes (clients.md §4.1, §7 rows 12–17). A dead account
 * is no `overloaded_error`, which Claude Code sends again whatever `x-should-retry` says.
 */
const errorNames: Record<ErrorCode, ErrorNames> = {
  invalid_request: { type: "invalid_request_error" },
  unknown_parameter: { type: "invalid_request_error" },
  context_length_exceeded: { type: "invalid_request_error" },
  content_filter: { type: "invalid_request_error" },
  file_rejected: { type: "invalid_request_error" },
  link_forbidden: { type: "invalid_request_error" },
  link_unreachable: { type: "invalid_request_error" },
  invalid_api_key: { type: "authentication_error" },
  insufficient_scope: { type: "permission_error" },
  origin_forbidden: { type: "permission_error" },
  model_not_found: { type: "not_found_error" },
  conversation_not_found: { type: "not_found_error" },
  not_found: { type: "not_found_error" },
  request_timeout: { type: "invalid_request_error" },
  request_too_large: { type: "request_too_large" },
  unsupported_media_type: { type: "invalid_request_error" },
  file_storage_full: { type: "request_too_large" },
  headers_too_large: { type: "invalid_request_error" },
  account_busy: { type: "rate_limit_error" },
  chat_busy: { type: "rate_limit_error" },
  rate_limited: { type: "rate_limit_error" },
  quota_exceeded: { type: "rate_limit_error" },
  budget_exceeded: { type: "rate_limit_error" },
  internal: { type: "api_error" },
  upstream_protocol: { type: "api_error" },
  upstream_cut: { type: "api_error" },
  upstream_unavailable: { type: "api_error" },
  upstream_overloaded: { type: "overloaded_error", status: 529 },
  account_login_required: { type: "api_error" },
  issuer_unavailable: { type: "api_error" },
  store_unavailable: { type: "api_error" },
  server_busy: { type: "overloaded_error", status: 529 },
  shutting_down: { type: "api_error" },
  timeout: { type: "timeout_error" },
  cancelled: { type: "api_error" },
};

export function errorEnvelope(error: GatewayError, requestId: string): ErrorEnvelope {
  return {
    type: "error",
    error: { type: wireType(error.code), message: messageOf(error) },
    request_id: requestId,
  };
}

/** The type on the wire. */
export function wireType(code: ErrorCode): string {
  return errorNames[code].type;
}

/** The status of a code, where it is another one than that of the code itself. */
export function wireStatus(code: ErrorCode): number | undefined {
  return errorNames[code].status;
}

/** Claude Code compacts a conversation by these words and numbers (clients.md §7 row 17). */
function messageOf({ code, message, tooLong }: GatewayError): string {
  if (code !== "context_length_exceeded") return message;
  const numbers = tooLong ? `${tooLong.tokens} tokens > ${tooLong.limit} maximum. ` : "";
  return `prompt is too long: ${numbers}${message}`;
}
