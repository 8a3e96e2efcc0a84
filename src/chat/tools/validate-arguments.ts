import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { limits } from "../../core/limits.js";
import type { Tool } from "../../core/types.js";
import { BoundedMap } from "../../lib/bounded-map.js";
import { type JsonObject, keyPath } from "../../lib/json.js";
import { coerceTypes } from "./coerce-types.js";
import { plainSchema } from "./plain-schema.js";

/** `isCoerced`: values were converted to the types that the schema wants. */
export type ValidatedArguments =
  | { value: JsonObject; isCoerced: boolean }
  /** The first finding: `path: must be string`. */
  | { problem: string };

type CompiledSchema = { schema: JsonObject; validate: ValidateFunction } | "unusable";

const compiled = new BoundedMap<CompiledSchema>(limits.toolSchemas);

/**
 * Compares arguments with the schema of their function. Values of other types than the schema wants are converted where they
 * say the same. A schema that cannot be used allows every object.
 */
export function validateArguments(tool: Tool, value: JsonObject): ValidatedArguments {
  const schema = compileSchema(tool.parameters);
  if (schema === "unusable") return { value, isCoerced: false };
  const problem = findProblem(schema.validate, value);
  if (problem === undefined) return { value, isCoerced: false };
  const coerced = coerceTypes(value, schema.schema);
  return findProblem(schema.validate, coerced) === undefined
    ? { value: coerced, isCoerced: true }
    : { problem };
}

function compileSchema(parameters: JsonObject): CompiledSchema {
  const plain = plainSchema(parameters);
  if (!plain) return "unusable";
  const key = JSON.stringify(plain);
  const known = compiled.get(key);
  if (known) return known;
  const created = tryCompile(plain);
  compiled.set(key, created);
  return created;
}

function tryCompile(schema: JsonObject): CompiledSchema {
  try {
    const ajv = new Ajv2020({
      ownProperties: true,
      strict: false,
      validateSchema: false,
      meta: false,
      logger: false,
      addUsedSchema: false,
    });
    return { schema, validate: ajv.compile(schema) };
  } catch {
    // Schemas are the client's; what is beyond ajv must not make a good call fail.
    return "unusable";
  }
}

function findProblem(validate: ValidateFunction, value: unknown): string | undefined {
  if (validate(value)) return undefined;
  const [first] = validate.errors ?? [];
  const path = keyPath(first?.instancePath ?? "");
  return `${path === "" ? "" : `${path}: `}${first?.message ?? "does not fit the schema"}`;
}
