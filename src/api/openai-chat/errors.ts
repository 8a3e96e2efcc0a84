import type { ErrorCode, GatewayError } from "../../core/errors.js";

/** OpenAI's error envelope; all four keys are always there (clients.md §7 row 18). */
export type ErrorEnvelope = { error: { message: string; type: string; param: string | null; code: string } };

type ErrorNames = { type: string; code?: string };

/**
 * Error types and codes on the wire; clients act on them (clients.md §0.9, §0.10, §7 rows 12–17). Default of `code`: the
 * key of the entry.
 */
const errorNames: Record<ErrorCode, ErrorNames> = {
  invalid_request: { type: "invalid_request_error" },
  unknown_parameter: { type: "invalid_request_error" },
  context_length_exceeded: { type: "invalid_request_error" },
  content_filter: { type: "invalid_request_error" },
  file_rejected: { type: "invalid_request_error" },
  link_forbidden: { type: "invalid_request_error" },
  link_unreachable: { type: "invalid_request_error" },
  invalid_api_key: { type: "invalid_request_error" },
  insufficient_scope: { type: "invalid_request_error" },
  origin_forbidden: { type: "invalid_request_error" },
  model_not_found: { type: "invalid_request_error" },
  conversation_not_found: { type: "invalid_request_error" },
  not_found: { type: "invalid_request_error" },
  request_timeout: { type: "invalid_request_error" },
  request_too_large: { type: "invalid_request_error" },
  unsupported_media_type: { type: "invalid_request_error" },
  file_storage_full: { type: "invalid_request_error" },
  headers_too_large: { type: "invalid_request_error" },
  account_busy: { type: "rate_limit_exceeded" },
  chat_busy: { type: "rate_limit_exceeded" },
  rate_limited: { type: "rate_limit_exceeded", code: "rate_limit_exceeded" },
  quota_exceeded: { type: "exceeded_current_quota_error", code: "insufficient_quota" },
  // As for an account's quota: clients stop for the day, and hubs keep the channel (clients.md §0.10, §7 row 16).
  budget_exceeded: { type: "exceeded_current_quota_error", code: "insufficient_quota" },
  internal: { type: "server_error" },
  upstream_protocol: { type: "upstream_error" },
  upstream_cut: { type: "upstream_error" },
  upstream_unavailable: { type: "upstream_error" },
  upstream_overloaded: { type: "upstream_error" },
  account_login_required: { type: "upstream_error" },
  issuer_unavailable: { type: "server_error" },
  store_unavailable: { type: "server_error" },
  server_busy: { type: "server_error" },
  shutting_down: { type: "server_error" },
  timeout: { type: "upstream_error" },
  cancelled: { type: "invalid_request_error" },
};

export function errorEnvelope(error: GatewayError): ErrorEnvelope {
  const { type } = errorNames[error.code];
  return { error: { message: error.message, type, param: error.param ?? null, code: wireCode(error.code) } };
}

/** The code on the wire. */
export function wireCode(code: ErrorCode): string {
  return errorNames[code].code ?? code;
}
