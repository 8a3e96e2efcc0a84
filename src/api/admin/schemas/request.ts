import { type Static, type TObject, Type } from "@sinclair/typebox";
import { answerObject, NullableNumber, NullableText, oneOf, Time } from "./field.js";

const requestOutcomes = ["ok", "failed", "cancelled"] as const;

const requestFields = {
  id: Type.String({ description: "The request's id, as in the header x-request-id" }),
  object: oneOf(["request"]),
  started_at: Time,
  ended_at: Time,
  method: Type.String(),
  route: Type.String(),
  dialect: NullableText,
  key: NullableText,
  status: Type.Number(),
  outcome: oneOf(requestOutcomes),
  error_code: NullableText,
  upstream_code: NullableText,
  upstream: NullableText,
  model: NullableText,
  chat: Type.Unsafe<"new" | "continued" | null>({ enum: ["new", "continued", null] }),
  attempts: Type.Number({ description: "How often an upstream was tried" }),
  duration_ms: Type.Number(),
  waited_ms: NullableNumber,
  first_output_ms: NullableNumber,
  finish: NullableText,
  input_tokens: NullableNumber,
  cached_tokens: NullableNumber,
  output_tokens: NullableNumber,
  reasoning_tokens: NullableNumber,
  estimated: Type.Boolean({ description: "The tokens were not counted by the model's own tokenizer" }),
  ignored: Type.Array(Type.String(), { description: "Parameters that the upstream ignored" }),
  trace_id: NullableText,
};

export const RequestAnswer = answerObject("Request", requestFields);

const RequestTextsAnswer = {
  title: "Texts of a request",
  description: "Null unless the setting journal.texts was on",
  properties: {
    prompt: Type.String({ description: "The beginning of the last message of the user" }),
    prompt_length: Type.Number({ description: "Characters of the whole message" }),
    earlier_messages: Type.Number({ description: "Messages before it" }),
    answer: Type.String({ description: "The beginning of the answer's text" }),
    answer_length: Type.Number({ description: "Characters of the whole text" }),
  },
};

/** One request, which alone has its texts. */
export const RequestDetailAnswer = answerObject("Request with its texts", {
  ...requestFields,
  texts: Type.Unsafe<Static<TObject<typeof RequestTextsAnswer.properties>> | null>({
    ...RequestTextsAnswer,
    type: ["object", "null"],
    required: Object.keys(RequestTextsAnswer.properties),
  }),
});

export const RequestParams = Type.Object({ id: Type.String() });

const count = (minimum: number, maximum: number) =>
  Type.String({ pattern: "^\\d{1,9}$", description: `a number from ${minimum} to ${maximum}` });

export const RequestListQuery = Type.Object({
  limit: Type.Optional(count(1, 500)),
  before: Type.Optional(Type.String({ maxLength: 100, description: "`next` of the page before" })),
  key: Type.Optional(Type.String({ maxLength: 300 })),
  model: Type.Optional(Type.String({ maxLength: 200 })),
  upstream: Type.Optional(Type.String({ maxLength: 64 })),
  dialect: Type.Optional(Type.String({ maxLength: 64 })),
  outcome: Type.Optional(oneOf(requestOutcomes)),
  error_code: Type.Optional(Type.String({ maxLength: 64 })),
  since: Type.Optional(Type.String({ maxLength: 40, description: "A day or a time, ISO 8601" })),
  until: Type.Optional(Type.String({ maxLength: 40, description: "A day or a time, ISO 8601" })),
});

export const RequestListAnswer = answerObject("Requests", {
  object: oneOf(["list"]),
  data: Type.Array(RequestAnswer, { description: "The newest first" }),
  next: NullableText,
});
