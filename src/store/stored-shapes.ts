import { type TSchema, Type } from "@sinclair/typebox";
import type { JournalEntry, JournalTexts } from "../core/journal.js";
import type { KeySettings } from "../core/store.js";
import { chatModes, citationModes, scopes, toolModes } from "../core/types.js";

/** The shapes of what a store keeps as JSON. The compiler reports a setting or a field that is missing here. */

const oneOf = <T extends string>(values: readonly T[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));

const TokenPair = Type.Object({
  accessToken: Type.Optional(Type.String()),
  refreshToken: Type.Optional(Type.String()),
});
export const CredentialsShape = Type.Object({
  current: TokenPair,
  previous: Type.Optional(TokenPair),
  startedFrom: Type.String(),
  savedAt: Type.Number(),
  site: Type.Optional(Type.Object({ baseUrl: Type.String(), authUrl: Type.String() })),
  firstName: Type.Optional(Type.String()),
});

const keySettings = {
  scopes: Type.Array(oneOf(scopes)),
  models: Type.Optional(Type.Array(Type.String())),
  upstreams: Type.Optional(Type.Array(Type.String())),
  requestsPerMinute: Type.Optional(Type.Number()),
  concurrency: Type.Optional(Type.Number()),
  requestsPerDay: Type.Optional(Type.Number()),
  tokensPerDay: Type.Optional(Type.Number()),
  expires: Type.Optional(Type.Number()),
  chats: Type.Optional(oneOf(chatModes)),
  citations: Type.Optional(oneOf(citationModes)),
  tools: Type.Optional(oneOf(toolModes)),
  visibleErrors: Type.Optional(Type.Boolean()),
} satisfies Record<keyof KeySettings, TSchema>;
export const KeySettingsShape = Type.Object(keySettings);

const text = Type.Optional(Type.String());
const number = Type.Optional(Type.Number());
const entryFields = {
  id: Type.String(),
  endedAt: Type.Number(),
  duration: Type.Number(),
  method: Type.String(),
  route: Type.String(),
  status: Type.Number(),
  failure: text,
  upstreamCode: text,
  dialect: text,
  key: text,
  upstream: text,
  model: text,
  chat: Type.Optional(Type.Union([Type.Literal("new"), Type.Literal("continued")])),
  attempts: Type.Number(),
  waited: number,
  firstOutput: number,
  finish: text,
  usage: Type.Optional(
    Type.Object({
      input: Type.Number(),
      output: Type.Number(),
      reasoning: Type.Number(),
      cached: Type.Number(),
      estimated: Type.Boolean(),
    }),
  ),
  ignored: Type.Optional(Type.Array(Type.String())),
  traceId: text,
} satisfies Record<Exclude<keyof JournalEntry, "texts">, TSchema>;
export const JournalEntryShape = Type.Object(entryFields);

const journalTexts = {
  prompt: Type.String(),
  promptLength: Type.Number(),
  earlier: Type.Number(),
  answer: Type.String(),
  answerLength: Type.Number(),
} satisfies Record<keyof JournalTexts, TSchema>;
export const JournalTextsShape = Type.Object(journalTexts);

export const CapabilityValueShape = Type.Union([Type.Boolean(), Type.Number()]);
export const CapabilitySourceShape = Type.Union([Type.Literal("probe"), Type.Literal("use")]);
export const ScopesShape = Type.Array(oneOf(scopes));
