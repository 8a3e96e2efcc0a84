import { dialects, errorFormat } from "../api/dialects.js";
import {
  keyErrors,
  media,
  number,
  object,
  type RouteDocumentation,
  type RouteDocumentations,
  scopeErrors,
  text,
} from "../api/route-documentation.js";
import { type ErrorCode, GatewayError } from "../core/errors.js";
import { isObject } from "../lib/json.js";

const binary = { type: "string", format: "binary" };

function listOf(title: string, items: object) {
  return object(title, { object: { const: "list" }, data: { type: "array", items: { ...items } } });
}

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

const documentations: RouteDocumentations = {
  ...Object.fromEntries(dialects.flatMap(({ documentation }) => Object.entries(documentation))),
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

const oauthError = object("OAuth error", { error: text, error_description: text });

/** Every route of `/v1/admin` has its own answer in its schema, and these errors. */
const adminErrors: readonly ErrorCode[] = ["invalid_request", "not_found", ...scopeErrors];

function documentationOf(schema: object, method: string, url: string): RouteDocumentation | undefined {
  if (!url.startsWith("/v1/admin/")) return documentations[`${method} ${url}`];
  const answer = isObject(schema) && isObject(schema.response) ? schema.response[200] : undefined;
  return isObject(answer) ? { answer, errors: adminErrors } : undefined;
}

/** Adds the answer and the errors to a route's schema for the documentation. */
export function withResponses<T extends object>(schema: T, method: string, url: string): T {
  const route = documentationOf(schema, method, url);
  if (!route) return schema;
  const { wireCode, schema: dialectError, status } = errorFormat(url);
  const error = url === "/token" ? oauthError : dialectError;
  const statusOf = (code: ErrorCode) => status?.(code) ?? new GatewayError(code, "").status;
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
