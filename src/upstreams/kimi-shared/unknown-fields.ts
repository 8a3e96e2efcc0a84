import { isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";

/**
 * The fields of a JSON object that are used, or that carry nothing for a client. `true` for any value; nested fields for an
 * object, or for each object of a list.
 */
export type KnownFields = { readonly [name: string]: true | KnownFields };

/** Counts every other field as protocol drift, by its path. */
export function recordUnknownFields(
  object: JsonObject,
  known: KnownFields,
  { drift, path }: { drift: ProtocolDrift; path: string },
): void {
  for (const [name, value] of Object.entries(object)) {
    const inner = Object.hasOwn(known, name) ? known[name] : undefined;
    const at = { drift, path: `${path}.${name}` };
    if (inner === undefined) drift.record("field", at.path);
    else if (inner !== true)
      for (const item of isObject(value) ? [value] : objectsIn(value)) recordUnknownFields(item, inner, at);
  }
}
