import { type Static, Type } from "@sinclair/typebox";
import {
  ConcurrencySchema,
  documented,
  MinSecondsBetweenStartsSchema,
  ModelIdSchema,
  oneOf,
  ProxySchema,
  UrlSchema,
  UserAgentSchema,
  upstreamSchema,
} from "../../config/field-schemas.js";
import { ConfigError } from "../../config/validate.js";
import { stripBearer } from "../../core/token.js";
import { configMessages } from "../../i18n/config-messages.js";
import { untranslated } from "../../i18n/text.js";
import { defineUpstreamKind } from "../upstream-kind.js";
import { OpenAiUpstream } from "./upstream.js";

const OpenAiSchema = upstreamSchema("openai", {
  baseUrl: documented(
    "The service's address with its version, instead of `region`",
    "服务的地址，含版本号；用来代替 `region`",
    Type.Optional(UrlSchema),
  ),
  region: documented(
    "The Moonshot platform: `ai` is api.moonshot.ai, `cn` is api.moonshot.cn",
    "Moonshot 开放平台：`ai` 是 api.moonshot.ai，`cn` 是 api.moonshot.cn",
    Type.Optional(oneOf(["ai", "cn"], { description: '"ai" or "cn"' })),
  ),
  apiKey: documented(
    "A key of the service, if it needs one",
    "服务的密钥，服务不需要时可省略",
    Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: "a key of the service" })),
  ),
  preset: documented(
    "Whether the platform's rules are followed; by default by the host",
    "是否遵循开放平台的规则；默认由主机名决定",
    Type.Optional(oneOf(["moonshot", "generic"], { description: '"moonshot" or "generic"' })),
  ),
  defaultModel: documented(
    "What `kimi` means here; by default the first `kimi-k…`, else the first listed",
    "这里 `kimi` 所指的模型；默认是第一个 `kimi-k…`，否则是列表中的第一个",
    Type.Optional(ModelIdSchema),
  ),
  models: documented(
    "Only these models; required if the service has no `GET /models`",
    "只提供这些模型；服务没有 `GET /models` 时必须填写",
    Type.Optional(Type.Array(ModelIdSchema, { minItems: 1, description: "a list of model ids" })),
  ),
  concurrency: Type.Optional(ConcurrencySchema),
  minSecondsBetweenStarts: Type.Optional(MinSecondsBetweenStartsSchema),
  userAgent: Type.Optional(UserAgentSchema),
  proxy: Type.Optional(ProxySchema),
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
    throw new ConfigError(configMessages.baseUrlOrRegion(path));
  if (region && !apiKey) throw new ConfigError(configMessages.missingSetting(`${path}.apiKey`));
}

/** The key as it is sent, without what copying adds. Throws ConfigError unless it can stand in a header. */
function readApiKey(text: string, path: string): string {
  const key = stripBearer(text.replace(/[\u00ad\u200b-\u200d\u2060\ufeff]|^\s*["']|["']\s*$/g, ""));
  if (!/^[!-~]+$/.test(key))
    throw new ConfigError(
      configMessages.expected(untranslated(`${path}.apiKey`), "a key of the service", "fine"),
    );
  return key;
}
