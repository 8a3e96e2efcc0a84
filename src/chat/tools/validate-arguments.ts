import type { Tool } from "../../core/types.js";
import { asObject, type JsonObject } from "../../lib/json.js";
import { plainSchema } from "./plain-schema.js";
import { validateJson } from "./validate-json.js";

/** `isCoerced`: values were converted to the types that the schema wants. */
export type ValidatedArguments =
  | { value: JsonObject; isCoerced: boolean }
  /** The first finding: `path: must be string`. */
  | { problem: string };

/** Compares arguments with the schema of their function, as `validateJson` does. */
export function validateArguments(tool: Tool, value: JsonObject): ValidatedArguments {
  const { schema } = plainSchema(tool.parameters);
  if (!schema) return { value, isCoerced: false };
  const validated = validateJson(value, schema);
  return "problem" in validated ? validated : { ...validated, value: asObject(validated.value) ?? value };
}
