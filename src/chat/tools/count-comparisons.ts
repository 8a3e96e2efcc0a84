import { asObject, isObject, type JsonObject, objectsIn } from "../../lib/json.js";

/** An upper bound of how many comparisons of a value with a schema of `plainSchema` take: quick to say, and rough. */
export function countComparisons(value: unknown, schema: JsonObject): number {
  const { values, containers } = countValues(value);
  return values * widthOf([schema], countAlternatives) + containers * widthOf([schema], countProperties);
}

/** How many values there are in one, and how many of them are objects and arrays. */
function countValues(value: unknown): { values: number; containers: number } {
  let values = 0;
  let containers = 0;
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    values++;
    if (typeof next !== "object" || next === null) continue;
    containers++;
    for (const each of Object.values(next)) open.push(each);
  }
  return { values, containers };
}

/** How many comparisons one value may take, anywhere in what all of these schemas describe. */
function widthOf(schemas: readonly JsonObject[], count: (schema: JsonObject) => number): number {
  if (schemas.length === 0) return 0;
  const applied = schemas.flatMap(alternativesOf);
  const own = applied.reduce((sum, schema) => sum + count(schema), 0);
  const byProperty = new Map<string, JsonObject[]>();
  for (const { properties } of applied)
    for (const [name, property] of Object.entries(asObject(properties) ?? {})) {
      const known = byProperty.get(name) ?? [];
      if (isObject(property)) known.push(property);
      byProperty.set(name, known);
    }
  const elsewhere = applied.flatMap(({ items, additionalProperties, prefixItems }) => [
    ...[items, additionalProperties].filter(isObject),
    ...objectsIn(prefixItems),
  ]);
  const widest = Math.max(0, ...Array.from(byProperty.values(), (found) => widthOf(found, count)));
  return Math.max(own, widest + widthOf(elsewhere, count));
}

/** The schema, and those that are compared with the same value. */
function alternativesOf(schema: JsonObject): JsonObject[] {
  const { anyOf, oneOf, allOf, not } = schema;
  const nested = [...[anyOf, oneOf, allOf].flatMap(objectsIn), ...[not].filter(isObject)];
  return [schema, ...nested.flatMap(alternativesOf)];
}

/** Comparisons with a value of an `enum` that take as long as one with a schema. */
const enumValuesAtOnce = 20;

function countAlternatives({ enum: values }: JsonObject): number {
  return 1 + (Array.isArray(values) ? values.length / enumValuesAtOnce : 0);
}

function countProperties({ properties, required }: JsonObject): number {
  return Object.keys(asObject(properties) ?? {}).length + (Array.isArray(required) ? required.length : 0);
}
