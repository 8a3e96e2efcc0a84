import {
  media,
  number,
  object,
  type RouteDocumentations,
  scopeErrors,
  text,
} from "../route-documentation.js";

export const errorSchema = object("JSON-RPC error", {
  jsonrpc: { const: "2.0" },
  id: { type: "null" },
  error: object("Error", {
    code: number,
    message: { ...text, description: "what is wrong and what to do" },
    data: object("Moonbridge error", { code: text, param: text, retry_after_seconds: number }),
  }),
});

const message = object("JSON-RPC message", {
  jsonrpc: { const: "2.0" },
  id: { type: ["string", "number"] },
  method: { ...text, examples: ["tools/list"] },
  params: { type: "object" },
});

export const documentation: RouteDocumentations = {
  "POST /mcp": {
    answer: media("JSON-RPC messages; the last one is the result", {
      "text/event-stream": text,
      "application/json": { type: "object" },
    }),
    errors: [
      ...scopeErrors,
      "origin_forbidden",
      "invalid_request",
      "request_too_large",
      "unsupported_media_type",
      "server_busy",
    ],
    body: { ...message, examples: [{ jsonrpc: "2.0", id: 1, method: "tools/list" }] },
  },
};
