import { type Static, Type } from "@sinclair/typebox";
import { scopes } from "../core/types.js";
import { Citations, chatsMode, Name, oneOf, strict } from "./field-schemas.js";

const keySettings = {
  name: Name,
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
    Type.Array(Name, { minItems: 1, maxItems: 100, description: "a list of upstreams" }),
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
  chats: Type.Optional(chatsMode()),
  citations: Type.Optional(Citations),
};

/** A key that `moonbridge keys add` makes; one in the config has the key itself, too. */
export const NewKey = Type.Object(keySettings, strict);

export const Key = Type.Object(
  {
    ...keySettings,
    key: Type.String({
      minLength: 1,
      maxLength: 512,
      description: "an API key, or sha256: and its hash in hex",
    }),
  },
  strict,
);

export type KeyConfig = Static<typeof Key>;
