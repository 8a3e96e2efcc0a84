import {
  chatErrors,
  media,
  number,
  object,
  type RouteDocumentations,
  scopeErrors,
  text,
} from "../route-documentation.js";

const items = { type: "array", items: { type: "object" } };
const usage = object("Response usage", {
  input_tokens: number,
  output_tokens: number,
  total_tokens: number,
  estimated: { type: "boolean", description: "counted by Moonbridge, since the upstream does not tell" },
});
const response = object("Response", {
  id: text,
  object: { const: "response" },
  created_at: number,
  status: { ...text, description: "completed, incomplete or failed" },
  model: text,
  output: { ...items, description: "messages, reasoning, calls and searches" },
  error: { type: ["object", "null"] },
  incomplete_details: { type: ["object", "null"] },
  usage,
});
const list = object("Input items", {
  object: { const: "list" },
  data: items,
  first_id: { type: ["string", "null"] },
  last_id: { type: ["string", "null"] },
  has_more: { type: "boolean" },
});
const deletion = object("Deleted response", {
  id: text,
  object: { const: "response.deleted" },
  deleted: { type: "boolean" },
});
const compaction = object("Compaction", {
  id: text,
  object: { const: "response.compaction" },
  created_at: number,
  output: { ...items, description: "messages of the user, then one item with the sealed summary" },
  usage,
});
const storedErrors = [...scopeErrors, "not_found"] as const;

export const documentation: RouteDocumentations = {
  "POST /v1/responses": {
    answer: media("The answer, or with “stream” its events", {
      "application/json": response,
      "text/event-stream": {
        ...text,
        description:
          "named events from response.created to response.completed, response.incomplete or response.failed, before which there is an event error",
      },
    }),
    errors: [...chatErrors, "not_found"],
  },
  "POST /v1/responses/compact": { answer: compaction, errors: [...chatErrors, "not_found"] },
  "GET /v1/responses/:id": { answer: response, errors: [...storedErrors, "invalid_request"] },
  "DELETE /v1/responses/:id": { answer: deletion, errors: storedErrors },
  "GET /v1/responses/:id/input_items": { answer: list, errors: [...storedErrors, "invalid_request"] },
};
