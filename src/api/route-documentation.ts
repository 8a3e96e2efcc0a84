import type { ErrorCode } from "../core/errors.js";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a route answers, for the documentation; routes do not validate or shape their answers by it. */
export type RouteDocumentation = { answer: JsonSchema; errors: readonly ErrorCode[]; body?: JsonSchema };

/** By method and path: `POST /v1/files`. */
export type RouteDocumentations = Readonly<Record<string, RouteDocumentation>>;

export const text = { type: "string" };
export const number = { type: "number" };

export function object(
  title: string,
  properties: Record<string, JsonSchema>,
  description = title,
): JsonSchema {
  return { title, type: "object", description, properties };
}

/** A response that is no JSON object, or one of several media types. */
export function media(description: string, contents: Record<string, JsonSchema>): JsonSchema {
  const content = Object.entries(contents).map(([type, schema]) => [type, { schema }]);
  return { description, content: Object.fromEntries(content) };
}

export const keyErrors = ["invalid_api_key", "rate_limited"] as const;
export const scopeErrors = ["insufficient_scope", ...keyErrors] as const;

/** The errors of a route that answers chat requests. */
export const chatErrors: readonly ErrorCode[] = [
  ...scopeErrors,
  "invalid_request",
  "unknown_parameter",
  "context_length_exceeded",
  "content_filter",
  "file_rejected",
  "link_forbidden",
  "link_unreachable",
  "model_not_found",
  "conversation_not_found",
  "request_too_large",
  "unsupported_media_type",
  "server_busy",
  "store_unavailable",
  "account_busy",
  "quota_exceeded",
  "budget_exceeded",
  "account_login_required",
  "timeout",
  "upstream_unavailable",
  "upstream_overloaded",
  "upstream_protocol",
  "upstream_cut",
];
