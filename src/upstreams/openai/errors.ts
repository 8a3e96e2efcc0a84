import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import { longestRetryAfter } from "../http/client.js";
import { quote } from "../quote.js";

/** Whom an error is about: what to call the service, the upstream's name in the config, and the key to keep quiet. */
export type Service = { service: string; upstream: string; apiKey: string | undefined };

/** What an error of the service says, as the body of an HTTP answer or inside a stream (moonshot-platform.md A.15). */
type Failure = { status: number; type: string; message: string; param: string | undefined };

/** Marks the one refusal that `tool_choice: "auto"` may mend (moonshot-platform.md A.6.2). */
export const toolChoiceConflict = "tool_choice_conflict";

/** An HTTP answer that is not 200 as the error that the client gets; the body may be anything. */
export function statusToError(
  service: Service,
  status: number,
  body: JsonObject | undefined,
  retryAfterSeconds?: number,
): GatewayError {
  return toError(service, { ...readFailure(body ?? {}), status }, retryAfterSeconds);
}

/** The error that a chunk or an answer with status 200 holds, if it is one. */
export function errorIn(service: Service, body: JsonObject): GatewayError | undefined {
  if (!body.error && body.object !== "error") return undefined;
  return toError(service, readFailure(body));
}

/** `{error: {message, type, code, param}}`, vLLM's flat form of it, and FastAPI's `{detail}`. */
function readFailure(body: JsonObject): Failure {
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

function toError(service: Service, failure: Failure, retryAfterSeconds?: number): GatewayError {
  const { code, say } = meanings.find(({ when }) => when(failure)) ?? broken;
  const isKeyFault = code === "account_login_required";
  const told = service.apiKey ? failure.message.replaceAll(service.apiKey, "…") : failure.message;
  const mayWait = code === "rate_limited" || code === "upstream_overloaded";
  const wait = retryAfterSeconds ?? (mayWait ? waitIn(failure.message) : undefined);
  const param = code === "model_not_found" ? "model" : failure.param;
  const isConflict = code === "invalid_request" && /tool_choice .* incompatible with thinking/.test(told);
  return new GatewayError(code, say(service) + (isKeyFault ? "" : quote(service.service, told)), {
    upstreamCode: isConflict ? toolChoiceConflict : identifier(failure),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
    ...(param !== undefined && /^[\w.[\]-]{1,100}$/.test(param) ? { param } : {}),
  });
}

type Meaning = {
  code: ErrorCode;
  when: (failure: Failure) => boolean;
  say: (service: Service) => string;
};

const quotaTexts =
  /exceeded your current (token )?quota|insufficient balance|account balance|recharge|in arrears|is suspended|\bTPD\b/i;
const lengthTexts = /model token limit|token length too long|maximum context length|context.length/i;

/** What a failure means: the first that fits. A failure inside a stream has no status. */
const meanings: readonly Meaning[] = [
  {
    code: "content_filter",
    when: ({ type, message }) => type === "content_filter" || /high risk/i.test(message),
    say: ({ service }) => `${service}'s content filter refused this conversation.`,
  },
  {
    code: "context_length_exceeded",
    when: ({ status, message }) => status < 500 && status !== 429 && lengthTexts.test(message),
    say: () => "This conversation is too long for the model.",
  },
  {
    code: "quota_exceeded",
    when: ({ status, type, message }) =>
      status === 402 || /quota/.test(type) || (status < 500 && quotaTexts.test(message)),
    say: ({ upstream }) =>
      `The upstream “${upstream}” has used up its quota. The service's console says more.`,
  },
  {
    code: "account_login_required",
    when: ({ status, type }) => status === 401 || /authentication|incorrect_api_key/.test(type),
    say: ({ service, upstream }) =>
      `${service} refuses the key of the upstream “${upstream}”. Put a valid one into the config; each region has its own.`,
  },
  {
    code: "account_login_required",
    when: ({ status, type }) => status === 403 || type === "permission_denied_error",
    say: ({ service, upstream }) =>
      `${service} gives the account of the upstream “${upstream}” no access. Its console says what is missing.`,
  },
  {
    code: "upstream_overloaded",
    when: ({ status, type }) =>
      status === 503 || status === 529 || /overloaded|server_unavailable/.test(type),
    say: ({ service }) => `${service} is too busy to answer right now.`,
  },
  {
    code: "rate_limited",
    when: ({ status, type }) => status === 429 || /rate_limit/.test(type),
    say: ({ upstream }) => `The upstream “${upstream}” is asked too often. Wait a little.`,
  },
  {
    code: "model_not_found",
    when: (failure) => isNotFound(failure) && /model/i.test(failure.message),
    say: ({ service }) => `${service} does not offer this model, or not to this account.`,
  },
  {
    code: "request_too_large",
    when: ({ status }) => status === 413,
    say: ({ service }) => `${service} takes no request so large.`,
  },
  {
    code: "timeout",
    when: ({ status }) => status === 408 || status === 504 || status === 524,
    say: ({ service }) => `${service} took too long to answer. Try again, streaming.`,
  },
  {
    code: "invalid_request",
    when: ({ status, type }) => status === 400 || status === 422 || type === "invalid_request_error",
    say: ({ service }) => `${service} refused this request.`,
  },
  {
    code: "upstream_protocol",
    when: (failure) => isNotFound(failure) || (failure.status >= 300 && failure.status < 500),
    say: ({ service }) => `${service} answers nothing at this address. Check baseUrl.`,
  },
];

const broken: Omit<Meaning, "when"> = {
  code: "upstream_unavailable",
  say: ({ service }) => `${service} failed while it was answering. Try again.`,
};

function isNotFound({ status, type }: Failure): boolean {
  return status === 404 || type === "resource_not_found_error";
}

/** Seconds to wait: what the sentence says, but no less than the allowed requests a minute need (A.15). */
function waitIn(message: string): number {
  const told = Number(/after (\d+) seconds?/i.exec(message)?.[1] ?? 0);
  const perMinute = Number(/RPM: (\d+)/i.exec(message)?.[1] ?? 0);
  const needed = perMinute > 0 ? Math.ceil(60 / perMinute) : 0;
  return Math.min(Math.max(told, needed) || 30, longestRetryAfter);
}

function identifier({ type, status }: Failure): string {
  if (/^[\w.-]{1,64}$/.test(type)) return type;
  return status > 0 ? `http_${status}` : "unknown";
}
