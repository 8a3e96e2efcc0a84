import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Name, oneOf, strict, Url } from "./field-schemas.js";

const ModelId = Type.String({ minLength: 1, maxLength: 200, description: "a model's id" });

const Concurrency = Type.Integer({
  minimum: 1,
  maximum: 100_000,
  description: "how many answers at a time, from 1",
});

const UserAgent = Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" });

/** A login of Kimi's, and how it is used. */
const login = {
  accessToken: Type.Optional(Type.String({ description: "an access token" })),
  refreshToken: Type.Optional(Type.String({ description: "a refresh token" })),
  userAgent: Type.Optional(UserAgent),
  concurrency: Type.Optional(Concurrency),
};

const KimiWebUpstream = Type.Object(
  {
    name: Name,
    kind: Type.Literal("kimi-web"),
    baseUrl: Type.Optional(Url),
    authUrl: Type.Optional(Url),
    ...login,
  },
  strict,
);

const OpenAiUpstream = Type.Object(
  {
    name: Name,
    kind: Type.Literal("openai"),
    baseUrl: Type.Optional(Url),
    region: Type.Optional(oneOf(["ai", "cn"], { description: '"ai" or "cn"' })),
    apiKey: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: "a key of the service" })),
    preset: Type.Optional(oneOf(["moonshot", "generic"], { description: '"moonshot" or "generic"' })),
    defaultModel: Type.Optional(ModelId),
    models: Type.Optional(Type.Array(ModelId, { minItems: 1, description: "a list of model ids" })),
    concurrency: Type.Optional(Concurrency),
    userAgent: Type.Optional(UserAgent),
  },
  strict,
);

const KimiLegacyUpstream = Type.Object(
  {
    name: Name,
    kind: Type.Literal("kimi-legacy"),
    baseUrl: Type.Optional(Url),
    ...login,
  },
  strict,
);

const SimulatorUpstream = Type.Object({ name: Name, kind: Type.Literal("simulator") }, strict);

/** One schema a kind of upstream; a new kind is one line here and one in `upstreams/registry.ts`. */
export const upstreamSchemas = {
  "kimi-web": KimiWebUpstream,
  "kimi-legacy": KimiLegacyUpstream,
  openai: OpenAiUpstream,
  simulator: SimulatorUpstream,
} as const satisfies Record<string, TSchema>;

export type UpstreamConfig = Static<(typeof upstreamSchemas)[keyof typeof upstreamSchemas]>;
