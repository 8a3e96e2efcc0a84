import { limits } from "../../core/limits.js";
import { isObject, type JsonObject, textsIn } from "../../lib/json.js";
import { clip, oneLine } from "./one-line.js";

/**
 * How much is told of parameters. `whole`: everything that says something to a model. `required`: optional ones lose their
 * descriptions. `brief`: also long lists of values, long other values and deeply nested parameters are clipped.
 */
export type SchemaDetail = "whole" | "required" | "brief";

type Place = { detail: SchemaDetail; depth: number; isOptional: boolean };

/** What says nothing to a model, or to no model that reads the rest. */
const leftOut = new Set([
  "$schema",
  "$id",
  "$comment",
  "title",
  "examples",
  "example",
  "markdownDescription",
]);
/** Keywords whose values are schemas by name, lists of schemas, and single schemas. */
const schemaMaps = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]);
const schemaLists = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
const singleSchemas = new Set(["items", "additionalProperties", "not", "contains", "propertyNames"]);

/** A function's JSON Schema as it is told to the model. */
export function compactSchema(schema: JsonObject, detail: SchemaDetail): JsonObject {
  return compact(schema, { detail, depth: 0, isOptional: false });
}

function compact(schema: JsonObject, place: Place): JsonObject {
  if (place.detail === "brief" && place.depth > limits.toolParameterDepth) return outline(schema);
  const kept = Object.entries(schema).flatMap(([key, value]) => {
    const compacted = compactKeyword(key, value, schema, place);
    return compacted === undefined ? [] : [[key, compacted] as const];
  });
  return Object.fromEntries(kept);
}

/** The value of a keyword as it is told; undefined if it is left out. */
function compactKeyword(key: string, value: unknown, schema: JsonObject, place: Place): unknown {
  const { detail, depth, isOptional } = place;
  if (leftOut.has(key) || (key === "additionalProperties" && typeof value === "boolean")) return undefined;
  if (key === "description" && typeof value === "string") {
    if (isOptional && detail !== "whole") return undefined;
    return depth > 1 || detail === "brief" ? clip(oneLine(value), limits.nestedDescription) : oneLine(value);
  }
  const below = { ...place, depth: depth + 1 };
  if (schemaMaps.has(key) && isObject(value)) {
    const required = new Set(textsIn(schema.required));
    const properties = Object.entries(value).map(([name, property]) => {
      const isOptionalHere = isOptional || (key === "properties" && !required.has(name));
      return [name, compactNested(property, { ...below, isOptional: isOptionalHere })] as const;
    });
    return Object.fromEntries(properties);
  }
  if (schemaLists.has(key) && Array.isArray(value)) return value.map((each) => compactNested(each, place));
  if (singleSchemas.has(key)) return compactNested(value, below);
  return detail === "brief" ? shorten(value) : value;
}

function compactNested(value: unknown, place: Place): unknown {
  return isObject(value) ? compact(value, place) : value;
}

function outline({ type, enum: values }: JsonObject): JsonObject {
  return {
    ...(type === undefined ? {} : { type }),
    ...(Array.isArray(values) ? { enum: shorten(values) } : {}),
  };
}

/** A long list keeps its first values and says that it is longer; another long value is left out. */
function shorten(value: unknown): unknown {
  if (Array.isArray(value) && value.length > limits.toolEnumValues)
    return [...value.slice(0, limits.toolEnumValues), `… (${value.length} values)`];
  return JSON.stringify(value).length > limits.shortToolDescription ? undefined : value;
}
