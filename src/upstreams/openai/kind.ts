import { type Static, Type } from "@sinclair/typebox";
import {
  ConcurrencySchema,
  ModelIdSchema,
  oneOf,
  UrlSchema,
  UserAgentSchema,
  upstreamSchema,
} from "../../config/field-schemas.js";
import { ConfigError } from "../../config/validate.js";
import { stripBearer } from "../../core/token.js";
import { defineUpstreamKind } from "../upstream-kind.js";
import { OpenAiUpstream } from "./upstream.js";

const OpenAiSchema = upstreamSchema("openai", {
  baseUrl: Type.Optional(UrlSchema),
  region: Type.Optional(oneOf(["ai", "cn"], { description: '"ai" or "cn"' })),
  apiKey: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: "a key of the service" })),
  preset: Type.Optional(oneOf(["moonshot", "generic"], { description: '"moonshot" or "generic"' })),
  defaultModel: Type.Optional(ModelIdSchema),
  models: Type.Optional(Type.Array(ModelIdSchema, { minItems: 1, description: "a list of model ids" })),
  concurrency: Type.Optional(ConcurrencySchema),
  userAgent: Type.Optional(UserAgentSchema),
});

export type OpenAiSettings = Static<typeof OpenAiSchema>;

/** A service with OpenAI's chat completions API. */
export const openAi = defineUpstreamKind({
  kind: "openai",
  schema: OpenAiSchema,
  defaultConcurrency: 100,
  credentials: "api-key",
  readSettings: (settings, path) => {
    checkBaseUrlOrRegion(settings, path);
    return { ...settings, ...(settings.apiKey ? { apiKey: readApiKey(settings.apiKey, path) } : {}) };
  },
  baseUrls: (settings) => [baseUrlOf(settings)],
  open: async (settings, context) =>
    new OpenAiUpstream({ ...settings, baseUrl: baseUrlOf(settings) }, context),
});

function baseUrlOf({ baseUrl, region = "ai" }: { baseUrl?: string; region?: string }): string {
  return baseUrl ?? `https://api.moonshot.${region}/v1`;
}

/** Requires either `baseUrl` or `region`; a region needs an API key. */
function checkBaseUrlOrRegion({ baseUrl, region, apiKey }: OpenAiSettings, path: string): void {
  if ((baseUrl === undefined) === (region === undefined))
    throw new ConfigError(`${path}: expected either baseUrl or region.`);
  if (region && !apiKey) throw new ConfigError(`${path}.apiKey: this setting is missing.`);
}

/** The key as it is sent, without what copying adds. Throws ConfigError unless it can stand in a header. */
function readApiKey(text: string, path: string): string {
  const key = stripBearer(text.replace(/[\u00ad\u200b-\u200d\u2060\ufeff]|^\s*["']|["']\s*$/g, ""));
  if (!/^[!-~]+$/.test(key)) throw new ConfigError(`${path}.apiKey: expected a key of the service.`);
  return key;
}
