import { Type } from "@sinclair/typebox";
import { FindingAnswer } from "./diagnostics.js";
import { answerObject, LanguageField, listOf, NullableText, NullableTime, oneOf, Time } from "./field.js";

const QuotaAnswer = answerObject("Quota", {
  name: Type.String(),
  used: Type.Number({ description: "The used fraction, from 0 to 1" }),
  resets_at: NullableTime,
});

const accountStates = [
  ...(["ok", "expiring", "busy", "limited", "quota", "login required", "unavailable"] as const),
] as const;

const TextAnswer = answerObject("Text", { en: Type.String(), zh: Type.String() }, "In each language");

const flagOrNumber = (description: string) =>
  Type.Unsafe<boolean | number>({ type: ["boolean", "number"], description });

const CapabilityAnswer = answerObject("Changed capability", {
  name: Type.String({ description: "As in docs/protocol/capabilities.md" }),
  value: flagOrNumber("Whether the assumption is true of this account, or its number"),
  default: flagOrNumber("What is assumed of every account"),
  source: oneOf(["probe", "use"], { description: "Measured by moonbridge probe, or seen in use" }),
  changed_at: Time,
  meaning: TextAnswer,
  fallback: TextAnswer,
});

export const AccountAnswer = answerObject("Account", {
  id: Type.String({ description: "The name of the upstream" }),
  object: oneOf(["account"]),
  kind: Type.String({ description: "kimi-web, kimi-legacy, openai, simulator" }),
  simulated: Type.Boolean(),
  origin: oneOf(["config", "login", "built-in"], {
    description:
      "From the configuration, from a login that Moonbridge stores, or the simulator without either",
  }),
  state: oneOf(accountStates),
  detail: Type.String({ description: "What to do, as a sentence" }),
  until: NullableTime,
  expires_at: NullableTime,
  failing: Type.Boolean({ description: "Other upstreams are asked first, since this one fails" }),
  queue: answerObject("Queue", { running: Type.Number(), waiting: Type.Number() }),
  capabilities: Type.Array(CapabilityAnswer, {
    description:
      "What is known of the account's behaviour, where it is not as Moonbridge assumes of every account",
  }),
});

export const AccountListAnswer = listOf("Accounts", AccountAnswer);

export const AccountQuotaAnswer = answerObject("Quotas of an account", {
  object: oneOf(["list"]),
  data: Type.Array(QuotaAnswer, { description: "Empty if the account has no quotas" }),
  error: NullableText,
});

export const AccountCheckAnswer = listOf("Findings about an account", FindingAnswer);

export const AccountParams = Type.Object({ id: Type.String() });

export const AccountCheckQuery = Type.Object({ language: Type.Optional(LanguageField) });

export const AccountRenameBody = Type.Object(
  { name: Type.String({ maxLength: 200, description: "1 to 64 letters, digits, . _ or -" }) },
  { additionalProperties: false },
);

export const RenamedAccountAnswer = answerObject("Renamed account", {
  id: Type.String({ description: "The new name" }),
  object: oneOf(["account"]),
  renamed_from: Type.String(),
  warnings: Type.Array(Type.String(), {
    description: "Settings of the configuration that have the old name",
  }),
});

export const AccountImportBody = Type.Object(
  {
    text: Type.String({
      minLength: 1,
      description: "Tokens, cookies, Local storage, a request copied from the browser, or a HAR file",
    }),
    name: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9._-]{1,64}$",
        description: "The account; by default the only one, or kimi",
      }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: "Only say what is in the text" })),
    language: Type.Optional(LanguageField),
    offline: Type.Optional(Type.Boolean({ description: "Store it without asking Kimi" })),
    base_url: Type.Optional(Type.String({ pattern: "^https?://[^\\s/?#]+[^\\s?#]*$" })),
    auth_url: Type.Optional(Type.String({ pattern: "^https?://[^\\s/?#]+[^\\s?#]*$" })),
  },
  { additionalProperties: false },
);

export const AccountImportAnswer = answerObject("Imported account", {
  object: oneOf(["account.import"]),
  account: Type.String(),
  outcome: oneOf(["verified", "stored-unverified", "stored-after-failure", "refused", "nothing", "dry-run"], {
    description:
      "nothing: the text has no login; refused: Kimi refused it or was not reachable, and nothing was stored",
  }),
  stored: Type.Boolean(),
  recognised: Type.Array(Type.String(), { description: "What was found, what is missing, as lines of text" }),
  has_refresh_token: Type.Boolean({ description: "Without one the login ends with its access token" }),
  user: Type.Unsafe<{ id: string; nickname: string | null } | null>({
    type: ["object", "null"],
    title: "Kimi user",
    properties: { id: { type: "string" }, nickname: { type: ["string", "null"] } },
    required: ["id", "nickname"],
  }),
  problem: NullableText,
  error_code: NullableText,
});

export const AccountRemovalQuery = Type.Object({
  chats: Type.Optional(
    oneOf(["delete", "keep"], {
      description:
        "delete (the default): its chats that Moonbridge made are deleted at Kimi first; keep: they stay there",
    }),
  ),
});

export const RemovedAccountAnswer = answerObject("Removed account", {
  id: Type.String(),
  object: oneOf(["account"]),
  deleted: Type.Boolean(),
  chats: answerObject("Chats of the account", {
    deleted: Type.Number({ description: "Deleted at Kimi" }),
    left: Type.Number({ description: "Still at Kimi; Moonbridge no longer knows them" }),
  }),
});
