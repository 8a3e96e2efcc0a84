/** Reading JSON whose shape another party decides: every accessor says what is there, or undefined. */

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

/** The objects of an array; whatever else it holds is left out. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The strings of an array; whatever else it holds is left out. */
export function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** JSON text as an object; undefined where it is not JSON or not an object. */
export function parseObject(source: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(source));
  } catch {
    return undefined;
  }
}

/** A JSON pointer as people write a path: `/messages/0/role` → `messages[0].role`. */
export function keyPath(pointer: string): string {
  return pointer
    .slice(1)
    .replace(/\/(\d+)/g, "[$1]")
    .replaceAll("/", ".");
}
