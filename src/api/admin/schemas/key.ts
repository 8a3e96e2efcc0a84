import { Type } from "@sinclair/typebox";
import { chatModes, citationModes, scopes, toolModes } from "../../../core/types.js";
import {
  answerObject,
  deletedObject,
  listOf,
  NullableNumber,
  NullableText,
  NullableTime,
  oneOf,
} from "./field.js";

const keyName = Type.String({ pattern: "^[A-Za-z0-9._-]{1,64}$" });

/** What a key may do; the values are checked by the schema of the configuration. A field that is null or absent is no limit. */
const settings = {
  scopes: Type.Optional(Type.Array(oneOf(scopes))),
  models: Type.Optional(Type.Array(Type.String())),
  upstreams: Type.Optional(Type.Array(Type.String())),
  requests_per_minute: Type.Optional(NullableNumber),
  requests_per_day: Type.Optional(NullableNumber),
  tokens_per_day: Type.Optional(NullableNumber),
  concurrency: Type.Optional(NullableNumber),
  expires: Type.Optional(
    Type.Unsafe<string | null>({
      type: ["string", "null"],
      description: "A day (until its end, UTC) or a time",
    }),
  ),
  chats: Type.Optional(Type.Unsafe<(typeof chatModes)[number] | null>({ enum: [...chatModes, null] })),
  citations: Type.Optional(
    Type.Unsafe<(typeof citationModes)[number] | null>({ enum: [...citationModes, null] }),
  ),
  tools: Type.Optional(Type.Unsafe<(typeof toolModes)[number] | null>({ enum: [...toolModes, null] })),
  visible_errors: Type.Optional(Type.Boolean()),
};

export const NewKeyBody = Type.Object({ name: keyName, ...settings }, { additionalProperties: false });
export const KeyChangeBody = Type.Object(settings, {
  additionalProperties: false,
  description: "Settings that are left out stay as they are; null removes a limit",
});
export const KeyParams = Type.Object({ id: Type.String() });

const keyFields = {
  id: Type.String({ description: "The name" }),
  object: oneOf(["key"]),
  origin: oneOf(["config", "store"], {
    description: "Keys of the configuration are changed there, the others here",
  }),
  created_at: NullableTime,
  expires_at: NullableTime,
  expired: Type.Boolean(),
  last_used_at: NullableTime,
  scopes: Type.Array(oneOf(scopes)),
  models: Type.Unsafe<string[] | null>({ type: ["array", "null"], items: { type: "string" } }),
  upstreams: Type.Unsafe<string[] | null>({ type: ["array", "null"], items: { type: "string" } }),
  requests_per_minute: NullableNumber,
  requests_per_day: NullableNumber,
  tokens_per_day: NullableNumber,
  concurrency: NullableNumber,
  chats: NullableText,
  citations: NullableText,
  tools: NullableText,
  visible_errors: Type.Unsafe<boolean | null>({ type: ["boolean", "null"] }),
  used_today: Type.Unsafe<{ requests: number; tokens: number } | null>({
    type: ["object", "null"],
    title: "Budget used today",
    description: "Null for a key without a daily budget",
    properties: { requests: { type: "number" }, tokens: { type: "number" } },
    required: ["requests", "tokens"],
  }),
};

export const KeyAnswer = answerObject("API key", keyFields);
export const KeyListAnswer = listOf("API keys", KeyAnswer);
export const NewKeyAnswer = answerObject(
  "New API key",
  {
    ...keyFields,
    key: Type.String({ description: "The key itself, sent this once" }),
    warning: NullableText,
  },
  "The new key, which is shown once",
);
export const DeletedKeyAnswer = deletedObject("key");
