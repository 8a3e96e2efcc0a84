import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { errorFormat } from "../api/dialects.js";
import { errorHeaders } from "../api/error-headers.js";
import { GatewayError, toGatewayError } from "../core/errors.js";
import { keyPath } from "../lib/json.js";
import { bodyTooLargeError } from "./body/receive-body.js";
import { pathOfUrl } from "./request-path.js";

/** Renders every error as JSON in the form of the path's dialect, never as HTML or with a stack (clients.md §7 row 18). */
export function registerErrorHandlers(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((thrown, request, reply) =>
    sendError(toLoggedError(thrown, request), request, reply),
  );
  app.setNotFoundHandler((request, reply) => {
    const path = pathOfUrl(request.originalUrl)
      .replace(/[^\w./:-]/g, "?")
      .slice(0, 200);
    const message = `There is no ${request.method} ${path} here. GET /docs shows what there is.`;
    return sendError(new GatewayError("not_found", message), request, reply);
  });
}

/** Converts anything thrown to a GatewayError. `internal`, a defect of Moonbridge, is logged with its stack. */
export function toLoggedError(thrown: FastifyError, request: FastifyRequest): GatewayError {
  const error = fromFastifyError(thrown) ?? toGatewayError(thrown);
  if (error.code === "internal")
    request.log.error({ reqId: request.id, stack: stackWithoutMessage(error.cause) }, "unexpected failure");
  if (error.code === "store_unavailable" && error.cause)
    request.log.error({ reqId: request.id, error: error.cause }, "the store failed");
  return error;
}

function sendError(error: GatewayError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOfUrl(request.url);
  request.failure = error;
  if (error.code === "invalid_api_key") reply.header("www-authenticate", 'Bearer realm="moonbridge"');
  const format = errorFormat(path);
  const status = format.status?.(error.code) ?? error.status;
  return reply.status(status).headers(errorHeaders(error)).send(format.body(error, request.id));
}

/** Converts Fastify's validation, size and parse errors; undefined for anything else. */
function fromFastifyError(thrown: FastifyError): GatewayError | undefined {
  const validationError = thrown.validation?.[0];
  if (validationError) {
    const missing = validationError.params.missingProperty;
    const param = keyPath(validationError.instancePath + (typeof missing === "string" ? `/${missing}` : ""));
    const expectation =
      typeof missing === "string"
        ? "this field is required"
        : expectationOf(validationError, thrown.validation);
    return new GatewayError("invalid_request", `${param || "body"}: ${expectation}.`, { param });
  }
  if (thrown.code === "FST_ERR_CTP_BODY_TOO_LARGE") return bodyTooLargeError();
  const status = thrown.statusCode ?? 500;
  return typeof thrown.code === "string" && thrown.code.startsWith("FST_ERR") && status < 500
    ? new GatewayError("invalid_request", "The request could not be read: its headers or body are malformed.")
    : undefined;
}

type SchemaFailures = NonNullable<FastifyError["validation"]>;

/** What the schema expects in place of a value: a failure names one type of several, and the others have failures, too. */
function expectationOf(first: SchemaFailures[number], failures: SchemaFailures = []): string {
  const types = failures.flatMap(({ instancePath, keyword, params: { type } }) =>
    instancePath === first.instancePath && keyword === "type" && typeof type === "string" && type !== "null"
      ? [type]
      : [],
  );
  if (first.keyword === "type" && types.length > 1) return `must be ${[...new Set(types)].join(" or ")}`;
  return first.message ?? "is not valid";
}

/** The stack without the error message, which may quote a prompt. */
function stackWithoutMessage(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const frames = (cause.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [cause.name, ...frames.slice(0, 8)].join("\n");
}
