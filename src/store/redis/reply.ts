import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** A reply validated against its schema. Not `Value.Parse`, whose errors contain the values. */
export function parseReply<Schema extends TSchema>(schema: Schema, reply: unknown): Static<Schema> {
  if (Value.Check(schema, reply)) return reply;
  throw new Error("A reply of Redis has another shape than what was stored.");
}
