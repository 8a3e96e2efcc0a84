import { errorEnvelope } from "../api/openai-chat/errors.js";
import { type ErrorCode, GatewayError } from "../core/errors.js";

type JsonSchema = Readonly<Record<string, unknown>>;

/** What a route answers, for the documentation; routes do not validate or shape their answers by it. */
type RouteResponses = { answer: JsonSchema; errors: readonly ErrorCode[]; body?: JsonSchema };

/** A response that is no JSON object, or one of several media types. */
function media(description: string, contents: Record<string, JsonSchema>): JsonSchema {
  const content = Object.entries(contents).map(([type, schema]) => [type, { schema }]);
  return { description, content: Object.fromEntries(content) };
}

const text = { type: "string" };
const number = { type: "number" };
const binary = { type: "string", format: "binary" };

function object(title: string, properties: Record<string, JsonSchema>, description = title): JsonSchema {
  return { title, type: "object", description, properties };
}

function listOf(title: string, items: JsonSchema): JsonSchema {
  return object(title, { object: { const: "list" }, data: { type: "array", items } });
}

const usage = object("Usage", {
  prompt_tokens: number,
  completion_tokens: number,
  total_tokens: number,
  estimated: { type: "boolean", description: "counted by Moonbridge, since the upstream does not tell" },
});
const message = object("Message", {
  role: { const: "assistant" },
  content: { type: ["string", "null"] },
  reasoning_content: text,
  annotations: { type: "array", items: { type: "object" } },
  tool_calls: { type: "array", items: { type: "object" } },
});
const finishReason = { type: ["string", "null"], description: "stop, length, tool_calls or content_filter" };
const completion = object("Chat completion", {
  id: text,
  object: { const: "chat.completion" },
  created: number,
  model: text,
  choices: {
    type: "array",
    items: object("Choice", { index: number, message, finish_reason: finishReason }),
  },
  conversation_id: text,
  usage,
});
const model = object("Model", {
  id: text,
  object: { const: "model" },
  created: number,
  owned_by: text,
  name: text,
  context_length: number,
});
const file = object("File", {
  id: text,
  object: { const: "file" },
  bytes: number,
  created_at: number,
  filename: text,
  purpose: text,
});
const account = object("Account", {
  id: text,
  object: { const: "account" },
  kind: text,
  state: text,
  detail: text,
  until: { type: ["string", "null"] },
  expires_at: { type: ["string", "null"] },
  queue: object("Queue", { running: number, waiting: number }),
});
const readiness = object(
  "Readiness",
  { status: text, upstreams: { type: "array", items: { type: "object" } } },
  "An account can answer",
);

const keyErrors = ["invalid_api_key", "rate_limited"] as const;
const scopeErrors = ["insufficient_scope", ...keyErrors] as const;
const chatErrors: readonly ErrorCode[] = [
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
  "account_busy",
  "quota_exceeded",
  "account_login_required",
  "timeout",
  "upstream_unavailable",
  "upstream_overloaded",
  "upstream_protocol",
  "upstream_cut",
];

const responsesByRoute: Readonly<Record<string, RouteResponses>> = {
  "GET /": {
    answer: object("Moonbridge", { name: text, version: text, docs: text, simulated: { type: "boolean" } }),
    errors: [],
  },
  "GET /healthz": { answer: object("Liveness", { status: { const: "ok" } }), errors: [] },
  "GET /readyz": { answer: readiness, errors: keyErrors },
  "GET /metrics": {
    answer: media("Metrics in Prometheus' format", { "text/plain": text }),
    errors: scopeErrors,
  },
  "POST /token": {
    answer: object("Access token", {
      access_token: text,
      token_type: { const: "bearer" },
      expires_in: number,
      scope: text,
    }),
    errors: [],
  },
  "GET /v1/accounts": { answer: listOf("Accounts", account), errors: scopeErrors },
  "POST /v1/chat/completions": {
    answer: media("The answer, or with “stream” its chunks as server-sent events", {
      "application/json": completion,
      "text/event-stream": { ...text, description: "one chat.completion.chunk an event, then [DONE]" },
    }),
    errors: chatErrors,
  },
  "GET /v1/models": { answer: listOf("Models", model), errors: keyErrors },
  "GET /v1/models/:id": { answer: model, errors: ["model_not_found", ...keyErrors] },
  "POST /v1/files": {
    answer: file,
    errors: ["invalid_request", "request_too_large", "file_storage_full", ...scopeErrors],
    body: {
      type: "object",
      required: ["file"],
      properties: {
        file: binary,
        purpose: { ...text, examples: ["user_data"] },
      },
    },
  },
  "GET /v1/files": { answer: listOf("Files", file), errors: ["invalid_request", ...scopeErrors] },
  "GET /v1/files/:id": { answer: file, errors: ["not_found", ...scopeErrors] },
  "GET /v1/files/:id/content": {
    answer: media("The bytes of the file", { "application/octet-stream": binary }),
    errors: ["not_found", ...scopeErrors],
  },
  "DELETE /v1/files/:id": {
    answer: object("Deleted file", { id: text, object: { const: "file" }, deleted: { const: true } }),
    errors: ["not_found", ...scopeErrors],
  },
};

const envelope = object("Error", {
  error: object("Error details", {
    message: { ...text, description: "what is wrong and what to do" },
    type: text,
    param: { type: ["string", "null"], description: "the field that is wrong" },
    code: text,
  }),
});
const oauthError = object("OAuth error", { error: text, error_description: text });

function wireCode(code: ErrorCode): string {
  return errorEnvelope(new GatewayError(code, "")).error.code;
}

/** Adds the answer and the errors to a route's schema for the documentation. */
export function withResponses<T extends object>(schema: T, method: string, url: string): T {
  const route = responsesByRoute[`${method} ${url}`];
  if (!route) return schema;
  const error = url === "/token" ? oauthError : envelope;
  const statusOf = (code: ErrorCode) => new GatewayError(code, "").status;
  const described = [...new Set(route.errors.map(statusOf))].map((status) => {
    const codes = route.errors.filter((code) => statusOf(code) === status).map(wireCode);
    return [status, { ...error, description: codes.join(", ") }];
  });
  const response = {
    200: route.answer,
    ...Object.fromEntries(described),
    default: { ...error, description: "Any other error" },
  };
  return { ...schema, response, ...(route.body ? { body: route.body } : {}) };
}
