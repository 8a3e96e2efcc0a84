import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { limits } from "../../core/limits.js";

/** An optional parameter; clients also send `null` for "not set". */
function optional<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

const table = Type.Record(Type.String(), Type.Unknown());
const content = Type.Union([Type.String(), Type.Array(table)], {
  description: "a text, or a list of content blocks",
});

const Message = Type.Object(
  { role: Type.String({ description: "user, assistant or system" }), content: optional(content) },
  { additionalProperties: true },
);

/** What is counted by `POST /v1/messages/count_tokens`, and answered by `POST /v1/messages`. */
const prompt = {
  model: Type.String({ minLength: 1, maxLength: 512, description: "one of GET /v1/models" }),
  messages: Type.Array(Message, { maxItems: limits.messages }),
  system: optional(content),
  tools: optional(Type.Array(table, { maxItems: limits.messages })),
  tool_choice: optional(
    Type.Record(Type.String(), Type.Unknown(), { description: "{type: auto, any, tool or none}" }),
  ),
  thinking: optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: "{type: enabled, adaptive or disabled, budget_tokens}",
    }),
  ),
  output_config: optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: "{effort, format: {type: json_schema, schema}}",
    }),
  ),
  output_format: optional(
    Type.Record(Type.String(), Type.Unknown(), { description: "As output_config.format." }),
  ),
};

const example = { model: "kimi", messages: [{ role: "user", content: "天空为什么不是红色？" }] };

/** The body of `POST /v1/messages`. Unknown fields are let through: clients add some every month (clients.md §7 row 21). */
export const MessagesBody = Type.Object(
  {
    ...prompt,
    max_tokens: optional(Type.Integer({ minimum: 0 })),
    stream: optional(Type.Boolean({ default: false })),
    stop_sequences: optional(Type.Array(Type.String(), { maxItems: limits.messages })),
    temperature: optional(Type.Number()),
    top_p: optional(Type.Number()),
    top_k: optional(Type.Number()),
    metadata: optional(table),
    conversation_id: optional(
      Type.String({
        maxLength: 512,
        description: "Moonbridge's own: that of an earlier answer, to go on in its conversation.",
      }),
    ),
  },
  { additionalProperties: true, examples: [{ ...example, max_tokens: 1_024 }] },
);
export type MessagesBody = Static<typeof MessagesBody>;
export type BodyMessage = Static<typeof Message>;

/** The body of `POST /v1/messages/count_tokens`. */
export const CountBody = Type.Object(prompt, { additionalProperties: true, examples: [example] });
export type CountBody = Static<typeof CountBody>;
