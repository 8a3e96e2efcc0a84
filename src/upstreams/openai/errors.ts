import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import { maxRetryAfterSeconds } from "../http/client.js";
import { quoteServiceMessage } from "../quote-service-message.js";

/** The service in error messages: its display name, the upstream's name in the config, and the key to redact. */
export type ServiceIdentity = { service: string; upstream: string; apiKey: string | undefined };

/** An error of the service, from an HTTP response or inside a stream (moonshot-platform.md A.15). */
type Failure = { status: number; type: string; message: string; param: string | undefined };

/** Upstream code of the refusal of a forced call because the model thinks (moonshot-platform.md A.6.2). */
export const toolChoiceConflict = "tool_choice_conflict";

/** Converts an HTTP response other than 200 to the client's error; the body may be anything. */
export function statusToError(
  service: ServiceIdentity,
  status: number,
  body: JsonObject | undefined,
  retryAfterSeconds?: number,
): GatewayError {
  return toError(service, { ...parseFailure(body ?? {}), status }, retryAfterSeconds);
}

/** The error in a chunk or in a response with status 200, if there is one. */
export function findError(service: ServiceIdentity, body: JsonObject): GatewayError | undefined {
  if (!body.error && body.object !== "error") return undefined;
  return toError(service, parseFailure(body));
}

/** Parses `{error: {message, type, code, param}}`, vLLM's flat form of it, and FastAPI's `{detail}`. */
function parseFailure(body: JsonObject): Failure {
  const error = asObject(body.error) ?? (body.object === "error" ? body : {});
  const detail = asText(body.detail) ?? asText(objectsIn(body.detail)[0]?.msg);
  const status = Number(error.code);
  return {
    status: Number.isInteger(status) && status >= 400 && status < 600 ? status : 0,
    type: asText(error.type) ?? asText(error.code) ?? "",
    message: asText(error.message) ?? asText(body.error) ?? asText(body.message) ?? detail ?? "",
    param: asText(error.param),
  };
}

function toError(service: ServiceIdentity, failure: Failure, retryAfterSeconds?: number): GatewayError {
  const { code, describe } = errorKinds.find(({ matches }) => matches(failure)) ?? unknownFailure;
  const isAccountError = code === "account_login_required";
  const redactedMessage = service.apiKey ? failure.message.replaceAll(service.apiKey, "…") : failure.message;
  const isTemporary = code === "rate_limited" || code === "upstream_overloaded";
  const retryAfter = retryAfterSeconds ?? (isTemporary ? parseWaitSeconds(failure.message) : undefined);
  const isUncertain = code === "rate_limited" && retryAfterSeconds === undefined && failure.message === "";
  const param = code === "model_not_found" ? "model" : failure.param;
  const isConflict =
    code === "invalid_request" && /tool_choice .* incompatible with thinking/.test(redactedMessage);
  return new GatewayError(
    code,
    describe(service) + (isAccountError ? "" : quoteServiceMessage(service.service, redactedMessage)),
    {
      ...(isUncertain ? { isAccountWide: false } : {}),
      upstreamCode: isConflict ? toolChoiceConflict : upstreamCodeOf(failure),
      ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
      ...(param !== undefined && /^[\w.[\]-]{1,100}$/.test(param) ? { param } : {}),
    },
  );
}

type ErrorKind = {
  code: ErrorCode;
  matches: (failure: Failure) => boolean;
  describe: (service: ServiceIdentity) => string;
};

const quotaPattern =
  /exceeded your current (token )?quota|insufficient balance|account balance|recharge|in arrears|is suspended|\bTPD\b/i;
const contextLengthPattern = /model token limit|token length too long|maximum context length|context.length/i;

/** Kinds of errors; the first match counts. A failure inside a stream has status 0. */
const errorKinds: readonly ErrorKind[] = [
  {
    code: "content_filter",
    matches: ({ type, message }) => type === "content_filter" || /high risk/i.test(message),
    describe: ({ service }) => `${service}'s content filter refused this conversation.`,
  },
  {
    code: "context_length_exceeded",
    matches: ({ status, message }) => status < 500 && status !== 429 && contextLengthPattern.test(message),
    describe: () => "This conversation is too long for the model.",
  },
  {
    code: "quota_exceeded",
    matches: ({ status, type, message }) =>
      status === 402 || /quota/.test(type) || (status < 500 && quotaPattern.test(message)),
    describe: ({ upstream }) =>
      `The upstream “${upstream}” has used up its quota. The service's console says more.`,
  },
  {
    code: "account_login_required",
    matches: ({ status, type }) => status === 401 || /authentication|incorrect_api_key/.test(type),
    describe: ({ service, upstream }) =>
      `${service} refuses the key of the upstream “${upstream}”. Put a valid one into the config; each region has its own.`,
  },
  {
    code: "account_login_required",
    matches: ({ status, type }) => status === 403 || type === "permission_denied_error",
    describe: ({ service, upstream }) =>
      `${service} gives the account of the upstream “${upstream}” no access. Its console says what is missing.`,
  },
  {
    code: "upstream_overloaded",
    matches: ({ status, type }) =>
      status === 503 || status === 529 || /overloaded|server_unavailable/.test(type),
    describe: ({ service }) => `${service} is too busy to answer right now.`,
  },
  {
    code: "rate_limited",
    matches: ({ status, type }) => status === 429 || /rate_limit/.test(type),
    describe: ({ upstream }) => `The upstream “${upstream}” is asked too often. Wait a little.`,
  },
  {
    code: "model_not_found",
    matches: (failure) => isNotFound(failure) && /model/i.test(failure.message),
    describe: ({ service }) => `${service} does not offer this model, or not to this account.`,
  },
  {
    code: "request_too_large",
    matches: ({ status }) => status === 413,
    describe: ({ service }) => `${service} takes no request so large.`,
  },
  {
    code: "timeout",
    matches: ({ status }) => status === 408 || status === 504 || status === 524,
    describe: ({ service }) => `${service} took too long to answer. Try again, streaming.`,
  },
  {
    code: "invalid_request",
    matches: ({ status, type }) => status === 400 || status === 422 || type === "invalid_request_error",
    describe: ({ service }) => `${service} refused this request.`,
  },
  {
    code: "upstream_protocol",
    matches: (failure) => isNotFound(failure) || (failure.status >= 300 && failure.status < 500),
    describe: ({ service }) => `${service} answers nothing at this address. Check baseUrl.`,
  },
];

const unknownFailure: Omit<ErrorKind, "matches"> = {
  code: "upstream_unavailable",
  describe: ({ service }) => `${service} failed while it was answering. Try again.`,
};

function isNotFound({ status, type }: Failure): boolean {
  return status === 404 || type === "resource_not_found_error";
}

/**
 * Seconds until a retry: as the message says, but at least what the requests per minute allow (moonshot-platform.md
 * A.15).
 */
function parseWaitSeconds(message: string): number {
  const stated = Number(/after (\d+) seconds?/i.exec(message)?.[1] ?? 0);
  const perMinute = Number(/RPM: (\d+)/i.exec(message)?.[1] ?? 0);
  const minimum = perMinute > 0 ? Math.ceil(60 / perMinute) : 0;
  return Math.min(Math.max(stated, minimum) || 30, maxRetryAfterSeconds);
}

function upstreamCodeOf({ type, status }: Failure): string {
  if (/^[\w.-]{1,64}$/.test(type)) return type;
  return status > 0 ? `http_${status}` : "unknown";
}
