import { limits } from "../../core/limits.js";
import { asObject, isObject, type JsonObject } from "../../lib/json.js";

const maxDepth = 64;
/** How many references after each other are followed: fewer where the schema would become too large. */
const referenceDepths = [8, 4, 2, 1, 0];

/** Keywords whose values are compared with, as they stand. */
const plainKeywords = [
  "type",
  "enum",
  "const",
  "required",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
];
const schemaKeywords = ["items", "additionalProperties", "not"];
const schemaListKeywords = ["anyOf", "oneOf", "allOf", "prefixItems"];

export type PlainSchema = {
  /** Undefined if the schema is too large. */
  schema: JsonObject | undefined;
  /** The first reference that leads nowhere in the schema; it allows anything. */
  missingReference: string | undefined;
};

/**
 * The part of a client's JSON Schema that JSON is compared with, without references. Only keywords are taken over whose cost
 * is bounded: no `pattern` and `patternProperties` (a regular expression of the client's could run for hours), no
 * `uniqueItems` (quadratic), no `format`. `additionalProperties: false` is left out unless `isClosed`, for models that are
 * not told of it. What is unknown, too deep or not found allows anything.
 */
export function plainSchema(schema: JsonObject, { isClosed = false } = {}): PlainSchema {
  let missingReference: string | undefined;
  for (const maxReferences of referenceDepths) {
    const copy = new SchemaCopy(schema, { isClosed, maxReferences });
    const plain = copy.copy(schema, 0);
    missingReference ??= copy.missingReference;
    if (!copy.isTooLarge) return { schema: asObject(plain), missingReference };
  }
  return { schema: undefined, missingReference };
}

type CopyOptions = { isClosed: boolean; maxReferences: number };

class SchemaCopy {
  readonly #root: JsonObject;
  readonly #options: CopyOptions;
  #values = 0;
  #depth = 0;
  missingReference: string | undefined;

  constructor(root: JsonObject, options: CopyOptions) {
    this.#root = root;
    this.#options = options;
  }

  get isTooLarge(): boolean {
    return this.#values > limits.toolSchemaValues;
  }

  /** `references`: the number of those that led here; recursive ones end. */
  copy(schema: unknown, references: number): JsonObject | boolean {
    if (!isObject(schema)) return schema !== false;
    this.#values++;
    if (this.isTooLarge || this.#depth === maxDepth) return true;
    this.#depth++;
    const copied = this.#copyObject(schema, references);
    this.#depth--;
    return copied;
  }

  #copyObject(schema: JsonObject, references: number): JsonObject {
    const copies: [string, unknown][] = [];
    const referenced = this.#find(schema.$ref);
    if (referenced !== undefined && references < this.#options.maxReferences)
      copies.push(["allOf", [this.copy(referenced, references + 1)]]);
    for (const [name, value] of Object.entries(schema)) {
      // A list was the older way to write `prefixItems`.
      const key = name === "items" && Array.isArray(value) ? "prefixItems" : name;
      const copied = this.#copyKeyword(key, value, references);
      if (copied !== undefined) copies.push([key, copied]);
    }
    const plain = mergeAllOf(copies);
    return schema.nullable === true ? { anyOf: [plain, { type: "null" }] } : plain;
  }

  #copyKeyword(key: string, value: unknown, references: number): unknown {
    if (key === "properties" && isObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, property]) => [name, this.copy(property, references)]),
      );
    }
    if (schemaKeywords.includes(key)) {
      if (key === "additionalProperties" && value === false)
        return this.#options.isClosed ? false : undefined;
      return this.copy(value, references);
    }
    if (schemaListKeywords.includes(key)) {
      return Array.isArray(value) && value.length > 0
        ? value.map((item) => this.copy(item, references))
        : undefined;
    }
    if (!plainKeywords.includes(key) || !isKeywordValue(key, value)) return undefined;
    this.#values += Array.isArray(value) ? value.length : 0;
    return value;
  }

  /** The part of the schema that a local reference names: `#`, `#/$defs/node`. */
  #find(reference: unknown): unknown {
    if (typeof reference !== "string") return undefined;
    const found = /^#(?:\/|$)/.test(reference) ? findPart(this.#root, reference) : undefined;
    if (found === undefined) this.missingReference ??= reference;
    return found;
  }
}

/** The value at a JSON pointer in a URL fragment, whose keys may be percent-encoded. */
function findPart(root: JsonObject, pointer: string): unknown {
  let found: unknown = root;
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null) return undefined;
    const own = [key, decodePercent(key)].find((each) => Object.hasOwn(Object(found), each));
    if (own === undefined) return undefined;
    found = Reflect.get(found, own);
  }
  return found;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const types = ["string", "number", "integer", "boolean", "object", "array", "null"];

/** Whether the value is what JSON Schema allows for the keyword; otherwise the keyword is ignored. */
function isKeywordValue(key: string, value: unknown): boolean {
  switch (key) {
    case "type": {
      const names = Array.isArray(value) ? value : [value];
      return names.length > 0 && names.every((name) => types.includes(String(name)));
    }
    case "required":
      return Array.isArray(value) && value.every((name) => typeof name === "string");
    case "enum":
      return Array.isArray(value) && value.length > 0;
    case "const":
      return true;
    default:
      return typeof value === "number" && Number.isFinite(value);
  }
}

/** Joins the schema that a reference names with the schema's own `allOf`. */
function mergeAllOf(entries: readonly [string, unknown][]): JsonObject {
  const lists = entries.filter(([key]) => key === "allOf");
  if (lists.length < 2) return Object.fromEntries(entries);
  return Object.fromEntries([...entries, ["allOf", lists.flatMap(([, list]) => list)]]);
}
