import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { limits } from "../../core/limits.js";

/** An optional parameter; clients also send `null` for "not set". */
function optional<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

const table = Type.Record(Type.String(), Type.Unknown());

const conversationFields = {
  model: Type.String({ minLength: 1, maxLength: 512, description: "one of GET /v1/models" }),
  input: optional(
    Type.Union([Type.String(), Type.Array(Type.Unknown(), { maxItems: limits.messages })], {
      description: "a text, or the items of the conversation",
    }),
  ),
  instructions: optional(
    Type.String({ description: "System text. Not inherited over previous_response_id." }),
  ),
  previous_response_id: optional(
    Type.String({ maxLength: 512, description: "the answer after which this request goes on" }),
  ),
};

/** The body of `POST /v1/responses`. Other fields are ignored: clients add some every month (clients.md §7 row 21). */
export const ResponsesBody = Type.Object(
  {
    ...conversationFields,
    stream: optional(Type.Boolean({ description: "Answer as server-sent events." })),
    store: optional(
      Type.Boolean({ default: true, description: "Keep the answer, for previous_response_id and GET." }),
    ),
    tools: optional(
      Type.Array(Type.Unknown(), { description: "functions, custom tools, namespaces, web_search" }),
    ),
    tool_choice: Type.Optional(Type.Unknown()),
    parallel_tool_calls: optional(Type.Boolean()),
    reasoning: optional(table),
    text: optional(table),
    include: optional(Type.Array(Type.Unknown())),
    max_output_tokens: optional(Type.Integer({ minimum: 1 })),
    temperature: optional(Type.Number()),
    top_p: optional(Type.Number()),
    metadata: optional(table),
    truncation: optional(Type.String({ description: "No effect." })),
    service_tier: optional(Type.String({ description: "No effect." })),
    user: optional(Type.String({ description: "No effect." })),
    prompt_cache_key: optional(Type.String({ description: "No effect." })),
    safety_identifier: optional(Type.String({ description: "No effect." })),
    top_logprobs: optional(Type.Number({ description: "No effect." })),
    max_tool_calls: optional(Type.Number({ description: "No effect." })),
    prompt: optional(Type.Unknown({ description: "No effect." })),
    context_management: optional(Type.Unknown({ description: "No effect." })),
    background: optional(Type.Boolean({ description: "Refused if true." })),
    conversation: optional(Type.Unknown({ description: "Refused: use previous_response_id." })),
  },
  { additionalProperties: true, examples: [{ model: "kimi", input: "天空为什么不是红色？" }] },
);
export type ResponsesBody = Static<typeof ResponsesBody>;

/** The body of `POST /v1/responses/compact`. */
export const CompactBody = Type.Object(conversationFields, {
  additionalProperties: true,
  examples: [{ model: "kimi", input: [{ role: "user", content: "天空为什么不是红色？" }] }],
});
export type CompactBody = Static<typeof CompactBody>;

export const ResponseParams = Type.Object({ id: Type.String() });

/** The query of `GET /v1/responses/{id}/input_items`. Numbers come as text. */
export const InputItemsQuery = Type.Object(
  {
    limit: Type.Optional(Type.String({ description: "1 to 100, default 20" })),
    order: Type.Optional(Type.String({ description: "asc or desc, the default" })),
    after: Type.Optional(Type.String({ description: "the id of an item" })),
  },
  { additionalProperties: true },
);
export type InputItemsQuery = Static<typeof InputItemsQuery>;
