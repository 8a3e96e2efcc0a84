import { type SchemaOptions, Type } from "@sinclair/typebox";
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
