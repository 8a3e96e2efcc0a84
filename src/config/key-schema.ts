import { type Static, Type } from "@sinclair/typebox";
import type { KeySettings } from "../core/store.js";
import { scopes } from "../core/types.js";
import { configMessages } from "../i18n/config-messages.js";
import {
  chatModeSchema,
  citationsSchema,
  documented,
  NameSchema,
  oneOf,
  strict,
  ToolModeSchema,
} from "./field-schemas.js";
import { ConfigError } from "./validate.js";

const keyFields = {
  name: documented("How the log and reports name it", "日志和报告中使用的名字", NameSchema),
  scopes: documented(
    "What it may do; by default `chat`",
    "它的权限；默认为 `chat`",
    Type.Optional(
      Type.Array(oneOf(scopes, { description: '"chat" or "admin"' }), {
        minItems: 1,
        description: 'a list of "chat" and "admin"',
      }),
    ),
  ),
  models: documented(
    "The models it may use, each with any suffix; by default all",
    "可以使用的模型，每个都可带任意后缀；默认为全部",
    Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        minItems: 1,
        maxItems: 200,
        description: 'a list of models, or ["*"]',
      }),
    ),
  ),
  upstreams: documented(
    "The upstreams that may answer it; by default all",
    "可以为它回答的上游；默认为全部",
    Type.Optional(Type.Array(NameSchema, { minItems: 1, maxItems: 100, description: "a list of upstreams" })),
  ),
  requestsPerMinute: documented(
    "Chat requests per minute; by default any number",
    "每分钟的对话请求数；默认不限",
    Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100_000, description: "a whole number from 1 to 100000" }),
    ),
  ),
  requestsPerDay: documented(
    "Chat requests per day of the server's time zone; by default any number",
    "每天（服务器时区）的对话请求数；默认不限",
    Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000_000, description: "a whole number from 1 to 10000000" }),
    ),
  ),
  tokensPerDay: documented(
    "Tokens of prompts and answers per day of the server's time zone; by default any number",
    "每天（服务器时区）提示词和回答的 token 数；默认不限",
    Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000_000,
        description: "a whole number from 1 to 1000000000000",
      }),
    ),
  ),
  concurrency: documented(
    "Chat requests at a time; further ones wait",
    "同时进行的对话请求数；更多的请求排队",
    Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: "a whole number from 1 to 10000" }),
    ),
  ),
  expires: documented(
    "A day (until its end, UTC) or a time",
    "某一天（到当天 UTC 结束）或某一时刻",
    Type.Optional(
      Type.String({
        pattern: "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d))?$",
        description: "a date such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z",
      }),
    ),
  ),
  chats: documented("Its own `chats.mode`", "它自己的 `chats.mode`", Type.Optional(chatModeSchema())),
  citations: documented("Its own `citations`", "它自己的 `citations`", Type.Optional(citationsSchema())),
  tools: documented(
    "Its own `tools`, before that of the upstream",
    "它自己的 `tools`，优先于上游的设置",
    Type.Optional(ToolModeSchema),
  ),
  visibleErrors: documented(
    "Its own `streams.visibleErrors`",
    "它自己的 `streams.visibleErrors`",
    Type.Optional(Type.Boolean({ description: "true or false" })),
  ),
};

/** Options of `moonbridge keys add`, which generates the key itself. */
export const NewKeySchema = Type.Object(keyFields, strict);

/** An entry of `keys` in the config file, with the key or its hash. */
export const KeySchema = Type.Object(
  {
    ...keyFields,
    key: documented(
      "The key, or `sha256:` and its hash in hex",
      "密钥，或 `sha256:` 加密钥的十六进制哈希",
      Type.String({
        minLength: 1,
        maxLength: 512,
        description: "an API key, or sha256: and its hash in hex",
      }),
    ),
  },
  strict,
);

export type KeyConfig = Static<typeof KeySchema>;

/** Throws ConfigError, which does not quote the key, for one that no request header can carry, and for a malformed hash. */
export function checkKeyText(key: string, path: string): void {
  if (/^sha256:/i.test(key) && !/^sha256:[0-9a-f]{64}$/i.test(key))
    throw new ConfigError(configMessages.expectedHash(path));
  if (!/^[!-~]([ -~]*[!-~])?$/.test(key) || /^bearer\b/i.test(key)) {
    throw new ConfigError(configMessages.keyOfForeignCharacters(path));
  }
}

/** Converts the settings of a key from the configuration or the command line. Default scope: `chat`. */
export function toKeySettings(config: Omit<KeyConfig, "key"> & { key?: string }): KeySettings {
  const { name: _name, key: _key, expires, scopes, ...rest } = config;
  return {
    ...rest,
    scopes: scopes ?? ["chat"],
    ...(expires === undefined ? {} : { expires: expiryTime(expires) }),
  };
}

/** Milliseconds since the epoch; a date alone means the end of that day in UTC. */
function expiryTime(date: string): number {
  const time = Date.parse(date);
  return date.includes("T") ? time : time + 86_400_000;
}
