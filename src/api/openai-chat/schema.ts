import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { limits } from "../../core/limits.js";

/** An optional parameter; clients also send `null` for "not set". */
function optional<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

const number = optional(Type.Number());
const integer = optional(Type.Integer());
const flag = optional(Type.Boolean());
const string = optional(Type.String());
const anything = Type.Optional(Type.Unknown());
const table = optional(Type.Record(Type.String(), Type.Unknown()));

/** A message as clients send it. `content` has too many shapes for a schema; `content.ts` checks it. */
const Message = Type.Object(
  {
    role: Type.String({ description: "system, developer, user, assistant, tool or function" }),
    content: Type.Optional(
      Type.Unknown({
        description: "Text, or a list of parts such as {type: 'text', text} or {type: 'image_url', …}",
      }),
    ),
    name: string,
    reasoning_content: anything,
    reasoning: anything,
    tool_calls: optional(Type.Array(Type.Unknown())),
    function_call: anything,
    tool_call_id: string,
  },
  { additionalProperties: true },
);

/**
 * Every parameter that a known client sends to chat completions (clients.md §2–§5, §7 row 21): OpenAI's own, those of
 * Moonshot, Qwen, vLLM and kimi-free-api. Other names are refused or ignored, as `server.unknownParameters` says.
 */
export const ChatCompletionBody = Type.Object({
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
    Type.Object({ include_usage: flag, include_obfuscation: flag }, { additionalProperties: true }),
  ),

  reasoning_effort: optional(Type.String({ description: "none, minimal, low, medium, high, xhigh or max" })),
  reasoning: table,
  thinking: anything,
  enable_thinking: flag,
  chat_template_kwargs: table,

  web_search_options: table,
  use_search: flag,
  enable_search: flag,

  temperature: number,
  top_p: number,
  top_k: number,
  min_p: number,
  presence_penalty: number,
  frequency_penalty: number,
  repetition_penalty: number,
  logit_bias: table,
  seed: number,
  n: integer,

  max_tokens: integer,
  max_completion_tokens: integer,
  stop: optional(Type.Union([Type.String(), Type.Array(Type.String())])),

  tools: optional(Type.Array(Type.Unknown())),
  tool_choice: anything,
  parallel_tool_calls: flag,
  functions: optional(Type.Array(Type.Unknown())),
  function_call: anything,

  response_format: table,
  verbosity: string,
  modalities: optional(Type.Array(Type.String())),
  audio: table,
  prediction: table,
  logprobs: flag,
  top_logprobs: integer,

  conversation_id: optional(Type.String({ maxLength: 512 })),
  citations: optional(Type.String({ description: "inline, footer, annotations or off" })),

  user: anything,
  metadata: table,
  client_metadata: table,
  store: flag,
  service_tier: string,
  safety_identifier: string,
  prompt_cache_key: string,
  prompt_cache_retention: string,
  prompt_cache_options: anything,
  moderation: anything,
  context_management: anything,
  output_config: anything,
  include: anything,
  text: anything,
});

export type ChatCompletionBody = Static<typeof ChatCompletionBody>;
export type ChatCompletionMessage = ChatCompletionBody["messages"][number];

export const parameterNames: readonly string[] = Object.keys(ChatCompletionBody.properties);
