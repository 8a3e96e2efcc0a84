import { Type } from "@sinclair/typebox";
import { answerObject, LanguageField, listOf, NullableText, oneOf } from "./field.js";

export const FindingAnswer = answerObject("Finding", {
  what: Type.String({ description: "What was checked" }),
  state: oneOf(["ok", "warn", "fail"]),
  detail: Type.String(),
  remedy: NullableText,
});

export const DiagnosticsBody = Type.Object(
  {
    language: Type.Optional(LanguageField),
    offline: Type.Optional(Type.Boolean({ description: "Ask nothing of any network" })),
    stream: Type.Optional(
      Type.Boolean({
        description:
          "Send each finding when it is there, as an event “finding”, and “end” after the last one",
      }),
    ),
  },
  { additionalProperties: false },
);

export const DiagnosticsAnswer = listOf("Findings", FindingAnswer);

export const DriftAnswer = listOf(
  "Protocol drift",
  answerObject("Drift", {
    kind: Type.String(),
    name: Type.String({ description: "An identifier of Kimi's protocol" }),
    count: Type.Number(),
  }),
);

export const LogAnswer = listOf(
  "Log",
  answerObject("Log line", {
    time: Type.String({ format: "date-time" }),
    level: oneOf(["debug", "info", "warn", "error"]),
    message: Type.String(),
    fields: Type.Unsafe<Record<string, unknown>>({ type: "object", additionalProperties: true }),
  }),
);

export const SupportBundleAnswer = Type.Unsafe<object>({
  title: "Support bundle",
  description:
    "Version, settings without secrets, findings, log, requests, drift. No key, token, prompt or answer is in it",
  type: "object",
  additionalProperties: true,
});
