import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { limits } from "../../core/limits.js";
import { BoundedMap } from "../../lib/bounded-map.js";
import { asObject, asText, type JsonObject, keyPath } from "../../lib/json.js";
import { coerceTypes } from "./coerce-types.js";
import { countComparisons } from "./count-comparisons.js";

/** `isCoerced`: values were converted to the types that the schema wants. */
export type ValidatedJson =
  | { value: unknown; isCoerced: boolean }
  /** The first finding: `path: must be string`. */
  | { problem: string };

const compiled = new BoundedMap<ValidateFunction | "unusable">(limits.toolSchemas);

/**
 * Compares a value with a schema of `plainSchema`. Values of other types than the schema wants are converted where they say
 * the same. A schema that cannot be used allows every value.
 */
export function validateJson(value: unknown, schema: JsonObject): ValidatedJson {
  if (countComparisons(value, schema) > limits.schemaComparisons)
    return { problem: "is too large to be compared with its schema" };
  const validate = compileSchema(schema);
  if (validate === "unusable") return { value, isCoerced: false };
  const problem = findProblem(validate, value);
  if (problem === undefined) return { value, isCoerced: false };
  const coerced = coerceTypes(value, schema);
  return findProblem(validate, coerced) === undefined ? { value: coerced, isCoerced: true } : { problem };
}

function compileSchema(schema: JsonObject): ValidateFunction | "unusable" {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known) return known;
  const created = tryCompile(schema);
  compiled.set(key, created);
  return created;
}

function tryCompile(schema: JsonObject): ValidateFunction | "unusable" {
  try {
    const ajv = new Ajv2020({
      ownProperties: true,
      strict: false,
      validateSchema: false,
      meta: false,
      logger: false,
      addUsedSchema: false,
    });
    return ajv.compile(schema);
  } catch {
    // Schemas are the client's; what is beyond ajv must not make a good answer fail.
    return "unusable";
  }
}

function findProblem(validate: ValidateFunction, value: unknown): string | undefined {
  if (validate(value)) return undefined;
  const [first] = validate.errors ?? [];
  const path = keyPath(first?.instancePath ?? "");
  const surplus = asText(asObject(first?.params)?.additionalProperty);
  return [
    ...(path === "" ? [] : [`${path}: `]),
    first?.message ?? "does not fit the schema",
    ...(surplus === undefined ? [] : [` (${surplus})`]),
  ].join("");
}
