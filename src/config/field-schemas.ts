import { type SchemaOptions, Type } from "@sinclair/typebox";
import { chatModes, citationModes } from "../core/types.js";

/** A string a person must be able to find again in an error: short, one line. */
export const Name = Type.String({
  pattern: "^[A-Za-z0-9._-]{1,64}$",
  description: "1 to 64 letters, digits, . _ or -",
});
export const Url = Type.String({
  pattern: "^https?://[^\\s/?#]+[^\\s?#]*$",
  description: "an http or https address",
});

/** One of these words. */
export function oneOf<const T extends string>(words: readonly T[], options: SchemaOptions = {}) {
  return Type.Union(
    words.map((word) => Type.Literal(word)),
    options,
  );
}

/** What becomes of chats; with a default in one place and without in another. */
export const chatsMode = (options: SchemaOptions = {}) =>
  oneOf(chatModes, { description: '"native", "merged" or "ephemeral"', ...options });

export const Citations = oneOf(citationModes, {
  description: '"inline", "footer", "annotations" or "off"',
});

/** A setting that is not known is a mistake. */
export const strict = { additionalProperties: false } as const;
