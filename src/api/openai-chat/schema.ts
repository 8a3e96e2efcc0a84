import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { limits } from "../../core/limits.js";
import {
  type ClientParameter,
  type ClientParameterName,
  clientParameters,
  type ParameterType,
} from "./client-parameters.js";

/** An optional parameter; clients also send `null` for "not set". */
function optional<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

/** The schemas of parameters by type. */
const schemas = {
  any: Type.Optional(Type.Unknown()),
  array: optional(Type.Array(Type.Unknown())),
  boolean: optional(Type.Boolean()),
  "boolean or object": optional(Type.Union([Type.Boolean(), table()])),
  "boolean or string": optional(Type.Union([Type.Boolean(), Type.String()])),
  integer: optional(Type.Integer()),
  number: optional(Type.Number()),
  object: optional(table()),
  string: optional(Type.String()),
  "string or array": optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  "string or number": optional(Type.Union([Type.String(), Type.Number()])),
  "string or object": optional(Type.Union([Type.String(), table()])),
} satisfies Record<ParameterType, TSchema>;

function table() {
  return Type.Record(Type.String(), Type.Unknown());
}

type ParameterSchemas = {
  [Name in ClientParameterName]: (typeof schemas)[(typeof clientParameters)[Name]["type"]];
};

function parameterSchemas(): ParameterSchemas {
  const entries = Object.entries<ClientParameter>(clientParameters);
  // `Object.fromEntries` does not keep the names.
  return Object.fromEntries(
    entries.map(([name, parameter]) => [
      name,
      { ...schemas[parameter.type], description: describeParameter(parameter) },
    ]),
  ) as ParameterSchemas;
}

function describeParameter(parameter: ClientParameter): string {
  switch (parameter.effect) {
    case "honoured":
      return `Sent by ${parameter.clients}.`;
    case "passed on":
      return `Sent by ${parameter.clients}. Passed on to upstreams that support it.`;
    case "same as":
      return `Sent by ${parameter.clients}. The same as ${parameter.target}.`;
    case "no effect":
      return `Sent by ${parameter.clients}. No effect.`;
  }
}

/** A message as clients send it. `content` has too many shapes for a schema; `messages.ts` checks it. */
const Message = Type.Object(
  {
    role: Type.String({ description: "system, developer, user, assistant, tool or function" }),
    content: Type.Optional(
      Type.Unknown({
        description: "Text, or a list of parts such as {type: 'text', text} or {type: 'image_url', …}",
      }),
    ),
    name: schemas.string,
    reasoning_content: schemas.any,
    reasoning: schemas.any,
    tool_calls: schemas.array,
    function_call: schemas.any,
    tool_call_id: schemas.string,
    images: schemas.array,
  },
  { additionalProperties: true },
);

/** The body of a chat completion: all parameters of `client-parameters.ts`; other names are checked by `parse.ts`. */
export const ChatCompletionBody = Type.Object({
  ...parameterSchemas(),
  messages: Type.Array(Message, {
    minItems: 1,
    maxItems: limits.messages,
    description: "The conversation, oldest message first.",
  }),
  model: optional(
    Type.String({
      maxLength: 512,
      description: "One of GET /v1/models; “kimi” when left out.",
      default: "kimi",
    }),
  ),
  stream: optional(Type.Boolean({ description: "Answer as server-sent events." })),
  stream_options: optional(
    Type.Object(
      { include_usage: schemas.boolean, include_obfuscation: schemas.boolean },
      { additionalProperties: true },
    ),
  ),
  reasoning_effort: optional(Type.String({ description: "none, minimal, low, medium, high, xhigh or max" })),
  modalities: optional(Type.Array(Type.String())),
  conversation_id: optional(Type.String({ maxLength: 512 })),
  citations: optional(Type.String({ description: "inline, footer, annotations or off" })),
});

export type ChatCompletionBody = Static<typeof ChatCompletionBody>;
export type ChatCompletionMessage = ChatCompletionBody["messages"][number];
