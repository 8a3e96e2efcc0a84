import { type SchemaOptions, type TProperties, Type } from "@sinclair/typebox";
import { chatModes, citationModes } from "../core/types.js";

/** The name of a key or an upstream: short and on one line, since error messages quote it. */
export const NameSchema = Type.String({
  pattern: "^[A-Za-z0-9._-]{1,64}$",
  description: "1 to 64 letters, digits, . _ or -",
});
export const UrlSchema = Type.String({
  pattern: "^https?://[^\\s/?#]+[^\\s?#]*$",
  description: "an http or https address",
});

/** A union of string literals. */
export function oneOf<const T extends string>(values: readonly T[], options: SchemaOptions = {}) {
  return Type.Union(
    values.map((value) => Type.Literal(value)),
    options,
  );
}

/** The chat mode; `options` may add a default. */
export const chatModeSchema = (options: SchemaOptions = {}) =>
  oneOf(chatModes, { description: '"native", "merged" or "ephemeral"', ...options });

/** The citation mode. */
export const CitationsSchema = oneOf(citationModes, {
  description: '"inline", "footer", "annotations" or "off"',
});

/** Options of an object schema that make unknown settings an error. */
export const strict = { additionalProperties: false } as const;

export const ModelIdSchema = Type.String({ minLength: 1, maxLength: 200, description: "a model's id" });

export const UserAgentSchema = Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" });

/** Concurrent answers of an upstream. */
export const ConcurrencySchema = Type.Integer({
  minimum: 1,
  maximum: 100_000,
  description: "how many answers at a time, from 1",
});

/** An entry of `upstreams` of this kind, with its own settings besides the name. */
export function upstreamSchema<const Kind extends string, Settings extends TProperties>(
  kind: Kind,
  settings: Settings,
) {
  return Type.Object({ name: NameSchema, kind: Type.Literal(kind), ...settings }, strict);
}
