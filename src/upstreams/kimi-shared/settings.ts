import { type Static, Type } from "@sinclair/typebox";
import {
  ConcurrencySchema,
  documented,
  MinSecondsBetweenStartsSchema,
  ProxySchema,
  UpstreamToolsSchema,
  UserAgentSchema,
} from "../../config/field-schemas.js";
import type { UpstreamConfig } from "../../config/upstream-settings.js";
import { readTokens } from "../../config/upstream-tokens.js";
import type { TokenPair } from "../../core/token.js";
import type { Model } from "../../core/types.js";
import type { Message } from "../../i18n/text.js";

const AccountSchema = Type.Object({
  accessToken: documented(
    "The account's access token, as it was pasted",
    "账号的访问令牌，粘贴的原样即可",
    Type.Optional(Type.String({ description: "an access token" })),
  ),
  refreshToken: documented(
    "The account's refresh token, as it was pasted",
    "账号的刷新令牌，粘贴的原样即可",
    Type.Optional(Type.String({ description: "a refresh token" })),
  ),
  userAgent: Type.Optional(UserAgentSchema),
  proxy: Type.Optional(ProxySchema),
  concurrency: Type.Optional(ConcurrencySchema),
  minSecondsBetweenStarts: Type.Optional(MinSecondsBetweenStartsSchema),
  contextLength: documented(
    "The window of its models in tokens, where it is another than Moonbridge knows",
    "其模型的上下文长度（token），用于与 Moonbridge 所知不同的情况",
    Type.Optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 100_000_000,
        description: "a number of tokens from 1000 to 100000000",
      }),
    ),
  ),
  tools: UpstreamToolsSchema,
});

/** Settings of an upstream that uses a Kimi account. */
export type AccountSettings = Static<typeof AccountSchema>;

/** The schemas of `AccountSettings`. */
export const accountFields = AccountSchema.properties;

/** The settings with the account's tokens as they are sent. Throws ConfigError for tokens that cannot be used. */
export function readAccountSettings(
  settings: UpstreamConfig & AccountSettings,
  path: string,
  warnings: Message[],
): UpstreamConfig {
  const { accessToken: _access, refreshToken: _refresh, ...rest } = settings;
  const names = { accessToken: `${path}.accessToken`, refreshToken: `${path}.refreshToken` };
  return { ...rest, ...readTokens(configuredTokens(settings), names, warnings) };
}

/** The model with the window of the settings, if they name one. */
export function withContextLength(model: Model, contextLength: number | undefined): Model {
  return contextLength === undefined ? model : { ...model, contextLength };
}

/** The tokens in the settings; empty ones count as not set. */
export function configuredTokens({ accessToken, refreshToken }: AccountSettings): TokenPair {
  return { ...(accessToken ? { accessToken } : {}), ...(refreshToken ? { refreshToken } : {}) };
}
