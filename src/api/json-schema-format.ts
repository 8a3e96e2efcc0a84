import type { ResponseFormat } from "../core/types.js";
import { asObject, asText, type JsonObject } from "../lib/json.js";
import { invalidParameter } from "./invalid-parameter.js";

/**
 * Reads the format `{name, schema, strict}` of OpenAI's APIs. `path` is that of the schema. Throws `invalid_request` if it has
 * no schema.
 */
export function readJsonSchemaFormat(definition: JsonObject | undefined, path: string): ResponseFormat {
  const schema = asObject(definition?.schema);
  if (!definition || !schema) throw invalidParameter(path, "expected a JSON schema");
  const { name, strict } = definition;
  return {
    type: "json-schema",
    name: asText(name) ?? "answer",
    schema,
    path,
    ...(typeof strict === "boolean" ? { strict } : {}),
  };
}
