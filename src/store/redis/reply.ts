import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

const Text = Type.String();
const Texts = Type.Array(Text);
const Count = Type.Integer();
const TextOrNull = Type.Union([Text, Type.Null()]);

/** A reply validated against its schema. Not `Value.Parse`, whose errors contain the values. */
export function parseReply<Schema extends TSchema>(schema: Schema, reply: unknown): Static<Schema> {
  if (Value.Check(schema, reply)) return reply;
  throw new Error("A reply of Redis has another shape than what was stored.");
}

/** A value that was stored as JSON, validated against its schema. */
export function parseJson<Schema extends TSchema>(schema: Schema, text: string): Static<Schema> {
  const parsed: unknown = JSON.parse(text);
  return parseReply(schema, parsed);
}

export function parseText(reply: unknown): string {
  return parseReply(Text, reply);
}

/** A text; undefined where there is none. */
export function parseOptionalText(reply: unknown): string | undefined {
  return parseReply(TextOrNull, reply) ?? undefined;
}

export function parseCount(reply: unknown): number {
  return parseReply(Count, reply);
}

/** Lua's booleans are 1 and null in a reply; most commands give 1 and 0. */
export function parseFlag(reply: unknown): boolean {
  return reply !== null && parseCount(reply) > 0;
}

/** Names and values that follow each other, as in the replies to HGETALL and CONFIG GET. */
export function parsePairs(reply: unknown): Map<string, string> {
  const texts = parseReply(Texts, reply);
  const names = texts.filter((_, index) => index % 2 === 0);
  return new Map(names.map((name, index) => [name, texts[2 * index + 1] ?? ""]));
}
