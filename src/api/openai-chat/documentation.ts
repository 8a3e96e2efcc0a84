import { chatErrors, media, number, object, type RouteDocumentations, text } from "../route-documentation.js";

/** The error envelope. */
export const errorSchema = object("Error", {
  error: object("Error details", {
    message: { ...text, description: "what is wrong and what to do" },
    type: text,
    param: { type: ["string", "null"], description: "the field that is wrong" },
    code: text,
  }),
});

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

export const documentation: RouteDocumentations = {
  "POST /v1/chat/completions": {
    answer: media("The answer, or with “stream” its chunks as server-sent events", {
      "application/json": completion,
      "text/event-stream": { ...text, description: "one chat.completion.chunk an event, then [DONE]" },
    }),
    errors: chatErrors,
  },
};
