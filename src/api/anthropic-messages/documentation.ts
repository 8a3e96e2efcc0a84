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
  type: { const: "error" },
  error: object("Error details", {
    type: text,
    message: { ...text, description: "what is wrong and what to do" },
  }),
  request_id: text,
});

const usage = object("Usage", {
  input_tokens: { ...number, description: "without those that Kimi's chat already had" },
  cache_read_input_tokens: { ...number, description: "those that Kimi's chat already had" },
  output_tokens: number,
  server_tool_use: { type: "object", description: "web_search_requests, if a search tool was offered" },
  estimated: { type: "boolean", description: "counted by Moonbridge, since the upstream does not tell" },
});
const message = object("Message", {
  id: text,
  type: { const: "message" },
  role: { const: "assistant" },
  model: text,
  content: { type: "array", items: { type: "object" } },
  stop_reason: { ...text, description: "end_turn, tool_use, max_tokens, stop_sequence or refusal" },
  stop_sequence: { type: ["string", "null"] },
  conversation_id: text,
  usage,
});

export const documentation: RouteDocumentations = {
  "POST /v1/messages": {
    answer: media("The answer, or with “stream” its parts as server-sent events", {
      "application/json": message,
      "text/event-stream": {
        ...text,
        description: "message_start, content blocks, message_delta, message_stop",
      },
    }),
    errors: chatErrors.filter((code) => code !== "unknown_parameter"),
  },
  "POST /v1/messages/count_tokens": {
    answer: object("Token count", { input_tokens: number }),
    errors: ["invalid_request", "request_too_large", ...scopeErrors],
  },
};
