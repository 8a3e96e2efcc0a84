import { limits } from "../../core/limits.js";
import type { JsonObject } from "../../lib/json.js";
import { compactSchema, type SchemaDetail } from "../tools/compact-schema.js";
import { schemaTooLarge } from "./check-schema.js";

const details: readonly SchemaDetail[] = ["whole", "required", "brief"];

/**
 * A schema as the model is told it: all of it in `limits.formatSchema` characters; else, as much as fits, without what says
 * nothing to a model, without the descriptions of optional values, and at last with long lists of values and deeply nested
 * values clipped. Throws `invalid_request` with `param` if that is still too long.
 */
export function tellSchema(schema: JsonObject, param: string): string {
  const { $schema: _, ...told } = schema;
  const whole = JSON.stringify(told);
  if (whole.length <= limits.formatSchema) return whole;
  for (const detail of details) {
    const shorter = JSON.stringify(compactSchema(told, detail));
    if (shorter.length <= limits.formatSchema) return shorter;
  }
  throw schemaTooLarge(param);
}
