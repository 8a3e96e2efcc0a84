import { type SchemaOptions, type TProperties, type TSchema, Type } from "@sinclair/typebox";

import { languages } from "../../../i18n/text.js";

/** A text or null. One schema with two types, which the serializer and generated clients take better than a union. */
export const NullableText = Type.Unsafe<string | null>({ type: ["string", "null"] });
export const NullableNumber = Type.Unsafe<number | null>({ type: ["number", "null"] });
/** A time in ISO 8601, in UTC. */
export const Time = Type.String({ format: "date-time" });
export const NullableTime = Type.Unsafe<string | null>({ type: ["string", "null"], format: "date-time" });

/** One of these texts. */
export function oneOf<const Values extends readonly string[]>(values: Values, options: SchemaOptions = {}) {
  return Type.Unsafe<Values[number]>({ type: "string", enum: [...values], ...options });
}

/** The language of texts for people in the answer. */
export const LanguageField = oneOf(languages, { description: "The language of the texts; by default en" });

/** An object of an answer. Every field is there; its title names the type in generated clients. */
export function answerObject<Properties extends TProperties>(
  title: string,
  properties: Properties,
  description = title,
) {
  return Type.Object(properties, { title, description });
}

/** A list, as the other routes of the API answer it. */
export function listOf<Item extends TSchema>(title: string, item: Item) {
  return answerObject(title, { object: oneOf(["list"]), data: Type.Array(item) });
}

/** The answer to a deletion. */
export function deletedObject<const Name extends string>(name: Name) {
  return answerObject("Deleted", {
    id: Type.String(),
    object: oneOf([name]),
    deleted: Type.Boolean(),
  });
}
/** The time of `milliseconds` since the epoch; null if there is none. */
export function isoTime(milliseconds: number): string;
export function isoTime(milliseconds: number | undefined): string | null;
export function isoTime(milliseconds: number | undefined): string | null {
  return milliseconds === undefined || !Number.isFinite(milliseconds)
    ? null
    : new Date(milliseconds).toISOString();
}
