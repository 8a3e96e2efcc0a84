import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { NameSchema, oneOf, strict, UrlSchema } from "./field-schemas.js";

const ModelIdSchema = Type.String({ minLength: 1, maxLength: 200, description: "a model's id" });

const ConcurrencySchema = Type.Integer({
  minimum: 1,
  maximum: 100_000,
  description: "how many answers at a time, from 1",
});

const UserAgentSchema = Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" });

/** Fields of upstreams that use the tokens of a Kimi account. */
const credentialFields = {
  accessToken: Type.Optional(Type.String({ description: "an access token" })),
  refreshToken: Type.Optional(Type.String({ description: "a refresh token" })),
  userAgent: Type.Optional(UserAgentSchema),
  concurrency: Type.Optional(ConcurrencySchema),
};

const KimiWebSchema = Type.Object(
  {
    name: NameSchema,
    kind: Type.Literal("kimi-web"),
    baseUrl: Type.Optional(UrlSchema),
    authUrl: Type.Optional(UrlSchema),
    siteVersion: Type.Optional(
      Type.String({
        pattern: "^\\d{1,4}(\\.\\d{1,4}){1,3}$",
        description: "the version of Kimi's site, such as 2.3.0",
      }),
    ),
    ...credentialFields,
  },
  strict,
);

const OpenAiSchema = Type.Object(
  {
    name: NameSchema,
    kind: Type.Literal("openai"),
    baseUrl: Type.Optional(UrlSchema),
    region: Type.Optional(oneOf(["ai", "cn"], { description: '"ai" or "cn"' })),
    apiKey: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: "a key of the service" })),
    preset: Type.Optional(oneOf(["moonshot", "generic"], { description: '"moonshot" or "generic"' })),
    defaultModel: Type.Optional(ModelIdSchema),
    models: Type.Optional(Type.Array(ModelIdSchema, { minItems: 1, description: "a list of model ids" })),
    concurrency: Type.Optional(ConcurrencySchema),
    userAgent: Type.Optional(UserAgentSchema),
  },
  strict,
);

const KimiLegacySchema = Type.Object(
  {
    name: NameSchema,
    kind: Type.Literal("kimi-legacy"),
    baseUrl: Type.Optional(UrlSchema),
    ...credentialFields,
  },
  strict,
);

const SimulatorSchema = Type.Object({ name: NameSchema, kind: Type.Literal("simulator") }, strict);

/** Schemas by kind of upstream; a new kind needs an entry here and one in `upstreams/registry.ts`. */
export const upstreamSchemas = {
  "kimi-web": KimiWebSchema,
  "kimi-legacy": KimiLegacySchema,
  openai: OpenAiSchema,
  simulator: SimulatorSchema,
} as const satisfies Record<string, TSchema>;

/** An entry of `upstreams` in the config file. */
export type UpstreamConfig = Static<(typeof upstreamSchemas)[keyof typeof upstreamSchemas]>;
