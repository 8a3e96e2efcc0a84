export type JsonObject = Record<string, unknown>;

/** The value if it is a JSON object; undefined otherwise. */
export function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The value if it is a string; undefined otherwise. */
export function asString(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value if it is an array; an empty array otherwise. */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A field by its proto name (snake_case); its camelCase form is equivalent (kimi-web.md §2.4). */
export function getField(object: JsonObject | undefined, name: string): unknown {
  return object?.[name] ?? object?.[toCamelCase(name)];
}

/** A copy with all keys in camelCase, the form of Kimi's responses. */
export function camelCaseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCaseKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, nested]) => [toCamelCase(key), camelCaseKeys(nested)]),
  );
}

/** Parses a JSON object; undefined for invalid JSON and for other values. */
export function parseObject(json: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
