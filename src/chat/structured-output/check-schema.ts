import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { type JsonObject, keyPath } from "../../lib/json.js";
import { plainSchema } from "../tools/plain-schema.js";

/** The versions of JSON Schema, by the id of their own schema. Older ones than draft-07 are read as draft-07. */
const versions = {
  current: { id: "https://json-schema.org/draft/2020-12/schema", create: () => new Ajv2020(options) },
  draft07: { id: "http://json-schema.org/draft-07/schema", create: () => new Ajv(options) },
} as const;
const options = { strict: false, logger: false, validateFormats: false } as const;
const validators = new Map<keyof typeof versions, Ajv | Ajv2020>();

/** Draft-04 and OpenAPI 3.0 have booleans here. */
const wasBoolean = /\/exclusive(?:Minimum|Maximum)$/;

/**
 * The part of a client's schema that answers are compared with. Throws `invalid_request` with `param` for a schema that is
 * invalid or too large, or has a reference that leads out of it.
 */
export function readSchema(
  schema: JsonObject,
  { param, strict = true }: { param: string; strict?: boolean },
): JsonObject {
  if (!hasAtMost(schema, limits.formatSchemaValues)) throw schemaTooLarge(param);
  const problem = findProblem(schema);
  if (problem !== undefined) throw invalid(param, `the schema is invalid: ${problem}`);
  const plain = plainSchema(schema, { isClosed: strict });
  const { missingReference } = plain;
  if (missingReference !== undefined) {
    const shown = missingReference.slice(0, 100);
    throw invalid(
      param,
      `the reference “${shown}” leads to no part of the schema. Write it like #/$defs/name, and define that`,
    );
  }
  if (!plain.schema) throw schemaTooLarge(param);
  return plain.schema;
}

/** The error for a schema that an answer cannot be compared with, or that fits into no prompt. */
export function schemaTooLarge(param: string): GatewayError {
  return invalid(param, "the schema is too large. Shorten it, or send it in parts");
}

function invalid(param: string, message: string): GatewayError {
  return new GatewayError("invalid_request", `${param}: ${message}.`, { param });
}

/** Whether a value has at most so many objects and arrays. */
function hasAtMost(value: unknown, count: number): boolean {
  let left = count;
  const open = [value];
  while (open.length > 0 && left > 0) {
    const next = open.pop();
    if (typeof next !== "object" || next === null) continue;
    left--;
    for (const each of Object.values(next)) if (typeof each === "object") open.push(each);
  }
  return left > 0;
}

/** The first finding; undefined for a schema that is valid in one of the versions that it may be of. */
function findProblem(schema: JsonObject): string | undefined {
  const isOld = /draft-0\d/.test(String(schema.$schema));
  const candidates = isOld ? (["draft07"] as const) : (["current", "draft07"] as const);
  const problems = candidates.map((version) => findProblemIn(schema, version));
  return problems.includes(undefined) ? undefined : problems[0];
}

function findProblemIn(schema: JsonObject, version: keyof typeof versions): string | undefined {
  const { id, create } = versions[version];
  const validator = validators.get(version) ?? create();
  validators.set(version, validator);
  if (validator.validate(id, schema)) return undefined;
  const [first] = validator.errors ?? [];
  const pointer = first?.instancePath ?? "";
  if (wasBoolean.test(pointer)) return undefined;
  return `${keyPath(pointer) || "it"} ${first?.message ?? "is no JSON Schema"}`;
}
