import { asObject, isObject, type JsonObject, objectsIn } from "../../lib/json.js";

const number = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?$/;

/**
 * Converts texts that stand for another type, where the schema does not allow a text: `"3"` to 3, `"true"` to true, `"null"`
 * to null, and JSON of an object or array to its value, once. Nothing else is converted.
 */
export function coerceTypes(value: unknown, schema: JsonObject): unknown {
  return coerce(value, schema, false);
}

/** `isParsed`: the value stood in a text already. */
function coerce(value: unknown, schema: unknown, isParsed: boolean): unknown {
  const alternatives = alternativesOf(schema);
  if (typeof value === "string") {
    const types = new Set(alternatives.flatMap(typesOf));
    if (types.size === 0 || types.has("string")) return value;
    return coerceText(value, types, alternatives, isParsed);
  }
  const isList = Array.isArray(value);
  if (!isList && !isObject(value)) return value;
  const fitting = alternatives.filter((each) => allows(each, isList ? "array" : "object"));
  return fitting.reduce<unknown>((coerced, each) => coerceChildren(coerced, each, isParsed), value);
}

function coerceChildren(value: unknown, schema: JsonObject, isParsed: boolean): unknown {
  if (Array.isArray(value)) {
    const first = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
    return value.map((item, index) => coerce(item, first[index] ?? schema.items, isParsed));
  }
  if (!isObject(value)) return value;
  const properties = asObject(schema.properties) ?? {};
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      coerce(item, Object.hasOwn(properties, key) ? properties[key] : schema.additionalProperties, isParsed),
    ]),
  );
}

function coerceText(
  text: string,
  types: ReadonlySet<string>,
  alternatives: readonly JsonObject[],
  isParsed: boolean,
): unknown {
  const plain = text.trim();
  if ((types.has("number") || types.has("integer")) && number.test(plain)) return Number(plain);
  if (types.has("boolean") && /^(?:true|false)$/i.test(plain)) return plain.toLowerCase() === "true";
  if (types.has("null") && /^(?:null|none)$/i.test(plain)) return null;
  const wanted = plain.startsWith("{") ? "object" : plain.startsWith("[") ? "array" : "";
  if (isParsed || !types.has(wanted)) return text;
  try {
    return coerce(JSON.parse(plain), { anyOf: alternatives }, true);
  } catch {
    return text;
  }
}

/** The schema and those of its `anyOf`, `oneOf` and `allOf`, which contain no references. */
function alternativesOf(schema: unknown): JsonObject[] {
  if (!isObject(schema)) return [];
  const nested = ["anyOf", "oneOf", "allOf"].flatMap((key) => objectsIn(schema[key]));
  return [schema, ...nested.flatMap(alternativesOf)];
}

/** The types that the schema itself names, or shows by its values. */
function typesOf(schema: JsonObject): string[] {
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.map(String);
  const values = Array.isArray(schema.enum) ? schema.enum : "const" in schema ? [schema.const] : [];
  return values.map((value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value));
}

function allows(schema: JsonObject, type: string): boolean {
  const types = typesOf(schema);
  return types.length === 0 || types.includes(type);
}
