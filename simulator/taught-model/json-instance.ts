import { asArray, asObject, asString, type JsonObject } from "../json.js";

const maxDepth = 6;
const maxItems = 5_000;

/** A value that fits a JSON Schema, as far as keywords that a model would keep to say; `text` is what texts say. */
export function createInstance(schema: JsonObject, text: string): unknown {
  return create(schema, { root: schema, text, depth: 0 });
}

type Place = { root: JsonObject; text: string; depth: number };

function create(value: unknown, place: Place): unknown {
  const schema = resolve(value, place.root, 0);
  const [first] = asArray(schema.enum);
  if (schema.const !== undefined) return schema.const;
  if (first !== undefined) return first;
  const below = { ...place, depth: place.depth + 1 };
  switch (typeOf(schema)) {
    case "object":
      return createObject(schema, below);
    case "array":
      return createArray(schema, below);
    case "integer":
    case "number":
      return createNumber(schema);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return createText(schema, place.text);
  }
}

function createObject(schema: JsonObject, place: Place): JsonObject {
  const required = asArray(schema.required);
  const properties = Object.entries(asObject(schema.properties) ?? {});
  const kept = properties.filter(([name]) => place.depth < maxDepth || required.includes(name));
  return Object.fromEntries(kept.map(([name, property]) => [name, create(property, place)]));
}

function createArray({ items, prefixItems, minItems, maxItems: most }: JsonObject, place: Place): unknown[] {
  const usual = place.depth < maxDepth - 2 ? 2 : 0;
  const count = Math.min(Math.max(numberOr(minItems, 0), Math.min(usual, numberOr(most, usual))), maxItems);
  const first = asArray(prefixItems).map((item) => create(item, place));
  const rest = Math.max(0, count - first.length);
  return items === undefined || items === false
    ? first
    : [...first, ...Array.from({ length: rest }, () => create(items, place))];
}

function createNumber({ minimum, exclusiveMinimum, maximum }: JsonObject): number {
  const least = numberOr(minimum, typeof exclusiveMinimum === "number" ? exclusiveMinimum + 1 : 1);
  return Math.min(least, numberOr(maximum, least));
}

function createText({ minLength, maxLength, format }: JsonObject, text: string): string {
  switch (format) {
    case "date":
      return "2026-11-29";
    case "date-time":
      return "2026-11-29T12:00:00Z";
    case "email":
      return "somebody@example.org";
    case "uri":
      return "https://example.org/simulated";
    default:
      return text.padEnd(numberOr(minLength, 0), ".").slice(0, numberOr(maxLength, text.length + 1_000));
  }
}

function numberOr(value: unknown, other: number): number {
  return typeof value === "number" ? value : other;
}

function typeOf({ type, properties, items }: JsonObject): string {
  if (Array.isArray(type)) return type.map(String).find((name) => name !== "null") ?? "null";
  return asString(type) ?? (properties !== undefined ? "object" : items !== undefined ? "array" : "string");
}

/** Follows references inside of the schema, joins `allOf`, and takes the first alternative that is not null. */
function resolve(value: unknown, root: JsonObject, steps: number): JsonObject {
  const schema = asObject(value) ?? {};
  if (steps > maxDepth) return schema;
  const reference = asString(schema.$ref);
  if (reference?.startsWith("#")) {
    let target: unknown = root;
    for (const key of reference.split("/").slice(1)) target = asObject(target)?.[key];
    return resolve({ ...schema, $ref: undefined, ...asObject(target) }, root, steps + 1);
  }
  const alternatives = [...asArray(schema.anyOf), ...asArray(schema.oneOf)].map((each) =>
    resolve(each, root, steps + 1),
  );
  const chosen = alternatives.find((each) => typeOf(each) !== "null") ?? alternatives[0] ?? {};
  return asArray(schema.allOf)
    .map((each) => resolve(each, root, steps + 1))
    .reduce<JsonObject>(
      join,
      join({ ...schema, anyOf: undefined, oneOf: undefined, allOf: undefined }, chosen),
    );
}

function join(one: JsonObject, other: JsonObject): JsonObject {
  return {
    ...one,
    ...other,
    ...(one.properties || other.properties
      ? { properties: { ...asObject(one.properties), ...asObject(other.properties) } }
      : {}),
    ...(one.required || other.required
      ? { required: [...asArray(one.required), ...asArray(other.required)] }
      : {}),
  };
}
