/** Everything that can go wrong, as one type of value that each dialect renders in its own envelope. */

type ErrorTraits = { status: number; retryable: boolean };

const errorTraits = {
  invalid_request: { status: 400, retryable: false },
  unknown_parameter: { status: 400, retryable: false },
  context_length_exceeded: { status: 400, retryable: false },
  content_filter: { status: 400, retryable: false },
  file_rejected: { status: 400, retryable: false },
  link_forbidden: { status: 400, retryable: false },
  /** A link's own server fails: not ours, not Kimi's, and a retry of the whole chat is no remedy. */
  link_unreachable: { status: 400, retryable: false },
  invalid_api_key: { status: 401, retryable: false },
  /** The key is right, but not for this. */
  insufficient_scope: { status: 403, retryable: false },
  model_not_found: { status: 404, retryable: false },
  not_found: { status: 404, retryable: false },
  request_too_large: { status: 413, retryable: false },
  /** The person's own files fill the space that Moonbridge gives them. */
  file_storage_full: { status: 413, retryable: false },
  /** The queue in front of the account is full. */
  account_busy: { status: 429, retryable: true },
  rate_limited: { status: 429, retryable: true },
  quota_exceeded: { status: 429, retryable: false },
  internal: { status: 500, retryable: false },
  /** It answered something we cannot read. */
  upstream_protocol: { status: 502, retryable: true },
  /** It ended without its terminal frame. */
  upstream_cut: { status: 502, retryable: true },
  upstream_unavailable: { status: 502, retryable: true },
  upstream_overloaded: { status: 503, retryable: true },
  /** 503, not 401: clients take a 401 for a bad Moonbridge key (clients.md §0.9). */
  account_login_required: { status: 503, retryable: false },
  /** The identity provider whose tokens this server takes. */
  issuer_unavailable: { status: 503, retryable: true },
  shutting_down: { status: 503, retryable: true },
  timeout: { status: 504, retryable: true },
  /** The client left; nobody reads this answer. */
  cancelled: { status: 499, retryable: false },
} as const satisfies Record<string, ErrorTraits>;

export type ErrorCode = keyof typeof errorTraits;

export type ErrorDetails = {
  /** The request's field at fault, as a path: `messages[2].content`. */
  param?: string;
  retryAfterSeconds?: number;
  /** The upstream's own name for the failure, for logs and bug reports. */
  upstreamCode?: string;
  /** Overrides what the code implies, e.g. an overload that only an upgrade ends. */
  retryable?: boolean;
  cause?: unknown;
};

/** A failure with a stable code, its HTTP status, whether a retry helps, and a sentence a person can act on. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly upstreamCode: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = errorTraits[code].status;
    this.retryable = details.retryable ?? errorTraits[code].retryable;
    this.param = details.param;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.upstreamCode = details.upstreamCode;
  }

  /** The same failure, told to who comes while it lasts, which is so many milliseconds more. */
  again(milliseconds: number): GatewayError {
    const { code, message, retryable, upstreamCode } = this;
    return new GatewayError(code, message, {
      retryAfterSeconds: Math.max(1, Math.ceil(milliseconds / 1_000)),
      retryable,
      ...(upstreamCode === undefined ? {} : { upstreamCode }),
    });
  }
}

/** Any thrown value as a GatewayError; what is not one already is a defect of ours and says so. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError("internal", "Moonbridge failed to handle this request. The log has the details.", {
    cause: thrown,
  });
}
