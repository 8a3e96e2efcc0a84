/**
 * All errors, as one type that each dialect renders in its own envelope. Codes and remedies: docs/reference/errors.md.
 */

import { StoreFailure } from "./store-failure.js";

type ErrorTraits = { status: number; retryable: boolean };

const errorTraits = {
  invalid_request: { status: 400, retryable: false },
  unknown_parameter: { status: 400, retryable: false },
  context_length_exceeded: { status: 400, retryable: false },
  content_filter: { status: 400, retryable: false },
  file_rejected: { status: 400, retryable: false },
  link_forbidden: { status: 400, retryable: false },
  /** The server of a link failed; retrying the whole chat does not help. */
  link_unreachable: { status: 400, retryable: false },
  invalid_api_key: { status: 401, retryable: false },
  /** The key is valid but lacks a scope. */
  insufficient_scope: { status: 403, retryable: false },
  /** A web page whose origin is not allowed. */
  origin_forbidden: { status: 403, retryable: false },
  model_not_found: { status: 404, retryable: false },
  /** The request rests on a conversation that is unknown, expired or cannot be continued. */
  conversation_not_found: { status: 404, retryable: false },
  not_found: { status: 404, retryable: false },
  /** The client took too long to send the request. */
  request_timeout: { status: 408, retryable: true },
  request_too_large: { status: 413, retryable: false },
  /** The content encoding of the body is not understood. */
  unsupported_media_type: { status: 415, retryable: false },
  /** The local file store has reached its limit. */
  file_storage_full: { status: 413, retryable: false },
  headers_too_large: { status: 431, retryable: false },
  /** The account's queue is full or too slow. */
  account_busy: { status: 429, retryable: true },
  /** The upstream is still answering in the chat that the request continues. */
  chat_busy: { status: 429, retryable: true },
  rate_limited: { status: 429, retryable: true },
  quota_exceeded: { status: 429, retryable: false },
  /** The API key has used up what it may use in a day. */
  budget_exceeded: { status: 429, retryable: false },
  internal: { status: 500, retryable: false },
  /** The upstream's response could not be parsed. */
  upstream_protocol: { status: 502, retryable: true },
  /** The stream ended without its end-of-stream message. */
  upstream_cut: { status: 502, retryable: true },
  upstream_unavailable: { status: 502, retryable: true },
  upstream_overloaded: { status: 503, retryable: true },
  /**
   * 424: a 401 would be taken for a bad Moonbridge key (clients.md §0.9), and to a 503 coding agents answer with up to 33
   * requests in minutes, to this with one (test/agents).
   */
  account_login_required: { status: 424, retryable: false },
  /** The configured identity provider cannot be reached. */
  issuer_unavailable: { status: 503, retryable: true },
  /** The store is needed for this request, and cannot be read or written. */
  store_unavailable: { status: 503, retryable: true },
  /** Other large requests fill the memory for request bodies. */
  server_busy: { status: 503, retryable: true },
  shutting_down: { status: 503, retryable: true },
  timeout: { status: 504, retryable: true },
  /** The client disconnected; the error is never sent. */
  cancelled: { status: 499, retryable: false },
} as const satisfies Record<string, ErrorTraits>;

export type ErrorCode = keyof typeof errorTraits;

export type ErrorDetails = {
  /** Path of the invalid field in the request: `messages[2].content`. */
  param?: string;
  retryAfterSeconds?: number;
  /** The upstream's own code, for logs and bug reports. */
  upstreamCode?: string;
  /** Overrides the code's default, e.g. for an overload that only an upgrade ends. */
  retryable?: boolean;
  /**
   * False if the failure may concern this request alone although its code usually concerns the whole account, e.g. a
   * 429 without the service's own reason.
   */
  isAccountWide?: boolean;
  /** Of a request that exceeds a model's context. */
  tooLong?: { tokens: number; limit: number };
  cause?: unknown;
};

/** An error with a stable code, its HTTP status, whether a retry helps, and a message that says what to do. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly upstreamCode: string | undefined;
  readonly isAccountWide: boolean | undefined;
  readonly tooLong: { tokens: number; limit: number } | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = errorTraits[code].status;
    this.retryable = details.retryable ?? errorTraits[code].retryable;
    this.param = details.param;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.upstreamCode = details.upstreamCode;
    this.isAccountWide = details.isAccountWide;
    this.tooLong = details.tooLong;
  }

  /** A copy for a later request that fails for the same reason; `retryAfterSeconds` is `milliseconds`, rounded up. */
  withRetryAfter(milliseconds: number): GatewayError {
    const { code, message, retryable, upstreamCode } = this;
    return new GatewayError(code, message, {
      retryAfterSeconds: Math.max(1, Math.ceil(milliseconds / 1_000)),
      retryable,
      ...(upstreamCode === undefined ? {} : { upstreamCode }),
    });
  }
}

/**
 * Converts a thrown value. A failed store becomes `store_unavailable`; anything else but a GatewayError is a defect of
 * Moonbridge and becomes `internal`.
 */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof StoreFailure) {
    const message = "Moonbridge's store cannot be read or written at the moment. The log has the reason.";
    return new GatewayError("store_unavailable", message, { retryAfterSeconds: 5, cause: thrown });
  }
  return new GatewayError("internal", "Moonbridge failed to handle this request. The log has the details.", {
    cause: thrown,
  });
}
