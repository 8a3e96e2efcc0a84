export type JsonObject = Record<string, unknown>;

export function object(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A field by its proto name: snake_case and camelCase are interchangeable (kimi-web.md §2.4). */
export function field(from: JsonObject | undefined, name: string): unknown {
  return from?.[name] ?? from?.[camel(name)];
}

/** The same value with every key in the camelCase in which Kimi answers. */
export function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [camel(key), camelKeys(inner)]));
}

/** The object in a JSON text, or undefined for anything else. */
export function parseObject(json: string): JsonObject | undefined {
  try {
    return object(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
