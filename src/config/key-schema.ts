import { type Static, Type } from "@sinclair/typebox";
import type { KeySettings } from "../core/store.js";
import { scopes } from "../core/types.js";
import { CitationsSchema, chatModeSchema, NameSchema, oneOf, strict } from "./field-schemas.js";
import { ConfigError } from "./validate.js";

const keyFields = {
  name: NameSchema,
  scopes: Type.Optional(
    Type.Array(oneOf(scopes, { description: '"chat" or "admin"' }), {
      minItems: 1,
      description: 'a list of "chat" and "admin"',
    }),
  ),
  models: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      minItems: 1,
      maxItems: 200,
      description: 'a list of models, or ["*"]',
    }),
  ),
  upstreams: Type.Optional(
    Type.Array(NameSchema, { minItems: 1, maxItems: 100, description: "a list of upstreams" }),
  ),
  requestsPerMinute: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100_000, description: "a whole number from 1 to 100000" }),
  ),
  concurrency: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: "a whole number from 1 to 10000" }),
  ),
  expires: Type.Optional(
    Type.String({
      pattern: "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d))?$",
      description: "a date such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z",
    }),
  ),
  chats: Type.Optional(chatModeSchema()),
  citations: Type.Optional(CitationsSchema),
  visibleErrors: Type.Optional(Type.Boolean({ description: "true or false" })),
};

/** Options of `moonbridge keys add`, which generates the key itself. */
export const NewKeySchema = Type.Object(keyFields, strict);

/** An entry of `keys` in the config file, with the key or its hash. */
export const KeySchema = Type.Object(
  {
    ...keyFields,
    key: Type.String({
      minLength: 1,
      maxLength: 512,
      description: "an API key, or sha256: and its hash in hex",
    }),
  },
  strict,
);

export type KeyConfig = Static<typeof KeySchema>;

/** Throws ConfigError, which does not quote the key, for one that no request header can carry, and for a malformed hash. */
export function checkKeyText(key: string, path: string): void {
  if (/^sha256:/i.test(key) && !/^sha256:[0-9a-f]{64}$/i.test(key))
    throw new ConfigError(`${path}: expected 64 hexadecimal digits after sha256:.`);
  if (!/^[!-~]([ -~]*[!-~])?$/.test(key) || /^bearer\b/i.test(key)) {
    throw new ConfigError(
      `${path}: no request header can carry this key. Use letters, digits and signs of ASCII, without a space around ` +
        "them and without “Bearer”.",
    );
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
