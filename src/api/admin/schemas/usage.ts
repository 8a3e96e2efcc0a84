import { Type } from "@sinclair/typebox";
import { usageGroups } from "../../../core/journal.js";
import { answerObject, NullableNumber, oneOf, Time } from "./field.js";

const day = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\d$", description: "A day, such as 2026-12-31" });

export const UsageQuery = Type.Object({
  by: Type.Optional(oneOf(usageGroups, { description: "By default key" })),
  from: Type.Optional(day),
  to: Type.Optional(day),
});

const counts = {
  requests: Type.Number(),
  errors: Type.Number({ description: "Requests that failed; cancelled ones are none" }),
  cancelled: Type.Number(),
  input_tokens: Type.Number(),
  cached_tokens: Type.Number(),
  output_tokens: Type.Number(),
};

export const UsageAnswer = answerObject("Usage", {
  object: oneOf(["list"]),
  by: oneOf(usageGroups),
  from: Type.String({ description: "The first day; by default 29 days ago, in the server's time zone" }),
  to: Type.String({ description: "The last day; by default today" }),
  data: Type.Array(
    answerObject("Usage of a day", {
      day: Type.String(),
      name: Type.String({ description: "The key, model or account; empty where a request had none" }),
      ...counts,
    }),
  ),
});

export const UsageHoursAnswer = answerObject(
  "Usage by hour",
  {
    object: oneOf(["list"]),
    data: Type.Array(
      answerObject("Usage of an hour", {
        hour: Time,
        ...counts,
        first_output_ms: NullableNumber,
      }),
    ),
  },
  "The last 24 hours; hours without requests are left out",
);
