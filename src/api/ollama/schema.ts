import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { limits } from "../../core/limits.js";

/** An optional parameter; clients also send `null` for "not set". */
function optional<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

const table = Type.Record(Type.String(), Type.Unknown());

const Message = Type.Object(
  {
    role: Type.String({ description: "system, user, assistant or tool" }),
    content: optional(Type.String()),
    thinking: optional(Type.String()),
    images: optional(Type.Array(Type.String(), { description: "pictures in base64" })),
    tool_calls: optional(Type.Array(table)),
    tool_name: optional(Type.String({ description: "the tool whose result this is" })),
    tool_call_id: optional(Type.String()),
  },
  { additionalProperties: true },
);

const shared = {
  model: Type.String({ minLength: 1, maxLength: 512, description: "one of GET /api/tags" }),
  stream: optional(Type.Boolean({ default: true, description: "Answer as JSON lines." })),
  think: optional(
    Type.Union([Type.Boolean(), Type.String()], { description: "true, false, low, medium or high" }),
  ),
  format: optional(Type.Union([Type.String(), table], { description: "“json” or a JSON schema" })),
  options: optional(
    Type.Record(Type.String(), Type.Unknown(), { description: "temperature, num_predict, stop …" }),
  ),
  keep_alive: optional(Type.Union([Type.String(), Type.Number()], { description: "No effect." })),
  truncate: optional(Type.Boolean({ description: "No effect." })),
  shift: optional(Type.Boolean({ description: "No effect." })),
  logprobs: optional(Type.Boolean({ description: "No effect." })),
  top_logprobs: optional(Type.Number({ description: "No effect." })),
};

/** The body of `POST /api/chat`. */
export const ChatBody = Type.Object(
  {
    ...shared,
    messages: optional(Type.Array(Message, { maxItems: limits.messages })),
    tools: optional(Type.Array(table)),
  },
  {
    examples: [
      { model: "kimi", stream: false, messages: [{ role: "user", content: "天空为什么不是红色？" }] },
    ],
  },
);
export type ChatBody = Static<typeof ChatBody>;
export type ChatBodyMessage = Static<typeof Message>;

/** The body of `POST /api/generate`. */
export const GenerateBody = Type.Object(
  {
    ...shared,
    prompt: optional(Type.String()),
    system: optional(Type.String()),
    images: optional(Type.Array(Type.String(), { description: "pictures in base64" })),
    context: optional(
      Type.Array(Type.Integer(), {
        maxItems: 512,
        description: "that of an earlier answer, to go on in its conversation",
      }),
    ),
    suffix: optional(Type.String({ description: "Refused: no model fills in." })),
    template: optional(Type.String({ description: "No effect." })),
    raw: optional(Type.Boolean({ description: "No effect." })),
  },
  { examples: [{ model: "kimi", stream: false, prompt: "天空为什么不是红色？" }] },
);
export type GenerateBody = Static<typeof GenerateBody>;

/** The body of `POST /api/show`; old clients send `name`. */
export const ShowBody = Type.Object(
  { model: optional(Type.String({ maxLength: 512 })), name: optional(Type.String({ maxLength: 512 })) },
  { additionalProperties: true, examples: [{ model: "kimi" }] },
);
