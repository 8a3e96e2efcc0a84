/** Accessors for JSON of unknown shape: each returns the value with the expected type, or undefined. */

export type JsonObject = { readonly [key: string]: unknown };

/** The value as an object, or undefined for anything else, arrays included. */
export function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as a non-empty string, or undefined. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The objects in an array, without its other elements; empty if the value is not an array. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The strings in an array, without its other elements; empty if the value is not an array. */
export function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Parses a JSON text; undefined if it is not a JSON object. */
export function parseObject(source: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(source));
  } catch {
    return undefined;
  }
}

/** A JSON value as text with sorted keys and no white space. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}

/** Converts a JSON pointer to a property path: `/messages/0/role` → `messages[0].role`. */
export function keyPath(pointer: string): string {
  return pointer
    .slice(1)
    .replace(/\/(\d+)/g, "[$1]")
    .replaceAll("/", ".");
}
