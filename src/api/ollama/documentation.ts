import {
  chatErrors,
  media,
  number,
  object,
  type RouteDocumentations,
  scopeErrors,
  text,
} from "../route-documentation.js";

export const errorSchema = object("Error", {
  error: { ...text, description: "what is wrong and what to do" },
});

const flag = { type: "boolean" };
const statistics = {
  done_reason: { ...text, description: "stop, length, content_filter, load or unload" },
  total_duration: { ...number, description: "in nanoseconds, as the other durations" },
  prompt_eval_count: number,
  eval_count: number,
};
const message = object("Message", {
  role: { const: "assistant" },
  content: text,
  thinking: text,
  tool_calls: { type: "array", items: { type: "object" } },
});

function records(properties: Parameters<typeof object>[1]) {
  const record = object("Record", {
    model: text,
    created_at: text,
    ...properties,
    done: flag,
    ...statistics,
  });
  return media("The answer, or unless “stream” is false its records as JSON lines", {
    "application/json": record,
    "application/x-ndjson": { ...text, description: "one record a line; the last one has done: true" },
  });
}

const models = object("Models", { models: { type: "array", items: { type: "object" } } });

export const documentation: RouteDocumentations = {
  "GET /api/version": { answer: object("Version", { version: text }), errors: scopeErrors },
  "GET /api/tags": { answer: models, errors: scopeErrors },
  "GET /api/ps": { answer: models, errors: scopeErrors },
  "POST /api/show": {
    answer: object("Model", {
      details: { type: "object" },
      model_info: { type: "object" },
      capabilities: { type: "array", items: text },
    }),
    errors: [...scopeErrors, "invalid_request", "model_not_found"],
  },
  "POST /api/chat": { answer: records({ message }), errors: chatErrors },
  "POST /api/generate": {
    answer: records({ response: text, thinking: text, context: { type: "array", items: number } }),
    errors: chatErrors,
  },
};
