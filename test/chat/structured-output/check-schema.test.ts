import { describe, expect, test } from "vitest";
import { AnswerFormat } from "../../../src/chat/structured-output/answer-format.js";
import { findJson } from "../../../src/chat/structured-output/find-json.js";
import { limits } from "../../../src/core/limits.js";
import type { JsonObject } from "../../../src/lib/json.js";

const open = (schema: JsonObject) =>
  new AnswerFormat({ type: "json-schema", name: "n", schema, path: "format" }, []);

/** What is wrong with an answer; undefined if it fits. */
function problemOf(schema: JsonObject, answer: unknown): string | undefined {
  const [json] = findJson(JSON.stringify(answer)).values;
  const checked = json && open(schema).check(json);
  return checked && "problem" in checked ? checked.problem : undefined;
}

const string = { type: "string" };

describe("a schema is kept", () => {
  test.each<[title: string, schema: JsonObject, right: unknown, wrong: unknown]>([
    [
      "of nested objects",
      { properties: { a: { properties: { b: string } } } },
      { a: { b: "" } },
      { a: { b: 1 } },
    ],
    ["of values", { enum: ["a", 1, null] }, "a", "b"],
    ["of one value", { properties: { kind: { const: "x" } } }, { kind: "x" }, { kind: "y" }],
    ["nullable in both forms", { items: { type: "string", nullable: true } }, [null, "a"], [1]],
    ["of types", { type: ["object", "null"] }, null, 3],
    ["of alternatives", { anyOf: [{ type: "array", items: string }, { type: "object" }] }, ["a"], [1]],
    ["of all of several", { allOf: [{ required: ["a"] }, { required: ["b"] }] }, { a: 1, b: 2 }, { a: 1 }],
    ["with definitions", { $defs: { s: string }, items: { $ref: "#/$defs/s" } }, ["a"], [1]],
    [
      "with the older definitions",
      { definitions: { s: string }, items: { $ref: "#/definitions/s" } },
      ["a"],
      [1],
    ],
    [
      "with a name that is percent-encoded",
      { $defs: { "L<s>": string }, items: { $ref: "#/$defs/L%3Cs%3E" } },
      ["a"],
      [1],
    ],
    [
      "that is recursive",
      { properties: { n: string, next: { $ref: "#" } } },
      { next: { next: { n: "" } } },
      { next: { next: { n: 1 } } },
    ],
    ["without further keys", { properties: { a: {} }, additionalProperties: false }, { a: 1 }, { b: 1 }],
    ["of any keys", { additionalProperties: string }, { x: "a" }, { x: [] }],
    ["with bounds", { type: "array", minItems: 2, items: { minimum: 0 } }, [0, 1], [0]],
    ["of positions in the older form", { items: [string, { type: "integer" }] }, ["a", 1], ["a", true]],
    ["of positions", { prefixItems: [string, { type: "integer" }] }, ["a", 1], [1, 1]],
  ])("%s", (_, schema, right, wrong) => {
    expect(problemOf(schema, right)).toBeUndefined();
    expect(problemOf(schema, wrong)).toBeDefined();
  });

  test.each([
    "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-04/schema#",
    "https://json-schema.org/draft/2020-12/schema",
    "https://example.org/unknown",
  ])("of the version %s, which the model is not told", (version) => {
    const schema = {
      $schema: version,
      type: "object",
      properties: { a: { type: "number", exclusiveMinimum: true } },
    };
    expect(open(schema).toldSchema).toBe(JSON.stringify({ ...schema, $schema: undefined }));
    expect(problemOf(schema, { a: [] })).toBe("a: must be number");
  });

  test("of draft-07 with lists of items, without naming it", () => {
    expect(problemOf({ items: [string] }, ["a"])).toBeUndefined();
  });
});

test.each<[title: string, schema: JsonObject, message: RegExp]>([
  ["a type that there is not", { properties: { a: { type: "text" } } }, /invalid: properties\.a\.type must/],
  ["a list for properties", { properties: [] }, /invalid: properties must be object/],
  ["a bound that is no number", { minLength: "3" }, /invalid: minLength must/],
  ["values that are no list", { enum: "a" }, /invalid: enum must be array/],
  ["an unknown reference", { anyOf: [{ $ref: "#/$defs/x" }] }, /“#\/\$defs\/x” leads to no part/],
  ["an anchor", { $ref: "#x" }, /“#x” leads/],
])("a schema with %s is refused", (_, schema, message) => {
  expect(() => open(schema)).toThrow(message);
  expect(() => open(schema)).toThrow(expect.objectContaining({ code: "invalid_request", param: "format" }));
});

describe("a hostile schema costs little:", () => {
  const deep = (depth: number, wrap: (inner: JsonObject) => JsonObject) => {
    let schema: JsonObject = string;
    for (let level = 0; level < depth; level++) schema = wrap(schema);
    return schema;
  };

  test("an expression that runs for hours is not run", () => {
    const schema = { properties: { a: { type: "string", pattern: "^(a+)+$" } } };
    expect(problemOf(schema, { a: `${"a".repeat(50)}!` })).toBeUndefined();
  });

  test("references in circles end", () => {
    const circle = { $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" };
    expect(problemOf(circle, { x: 1 })).toBeUndefined();
    const branches = Array.from({ length: 8 }, () => ({ $ref: "#" }));
    const wide = {
      type: "object",
      properties: Object.fromEntries(branches.map((each, index) => [`p${index}`, each])),
    };
    expect(problemOf(wide, { p1: 1 })).toBe("p1: must be object");
    expect(problemOf({ type: "object", anyOf: branches }, { x: 1 })).toBeUndefined();
  });

  test("a reference that doubles at each level is followed less deep", () => {
    const doubling = (level: number) => ({
      properties: { a: { $ref: `#/$defs/d${level}` }, b: { $ref: `#/$defs/d${level}` } },
    });
    const levels = Array.from({ length: 40 }, (_, level) => [`d${level}`, doubling(level + 1)]);
    const schema = { ...doubling(0), $defs: { ...Object.fromEntries(levels), d40: string } };
    expect(problemOf(schema, { a: 1 })).toBeUndefined();
  });

  test.each<[string, JsonObject]>([
    ["values", { enum: Array.from({ length: limits.toolSchemaValues + 1 }, (_, index) => index) }],
    ["definitions", { $defs: Object.fromEntries(Array.from({ length: 20_001 }, (_, index) => [index, {}])) }],
    [
      "properties",
      { properties: Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`p${index}`, {}])) },
    ],
    ["types", { type: Array.from({ length: 300_000 }, () => "string") }],
  ])("too many %s are refused", (_, schema) => {
    expect(() => open(schema)).toThrow(expect.objectContaining({ code: "invalid_request", param: "format" }));
  });

  test("what is long is shortened for the prompt, and what is still too long is refused", () => {
    const long = {
      properties: { a: { ...string, description: "x".repeat(10_000_000) } },
      examples: ["y".repeat(1_000_000)],
    };
    expect(JSON.parse(open(long).toldSchema ?? "")).toEqual({ properties: { a: string } });
    const names = Array.from({ length: 2_000 }, (_, index) => [`${"n".repeat(100)}${index}`, string]);
    expect(() => open({ properties: Object.fromEntries(names) })).toThrow(/format: the schema is too large/);
  });

  test("one that is nested as deep as a body may be is read", () => {
    expect(open(deep(90, (inner) => ({ properties: { a: inner } }))).toldSchema).toContain('"type":"string"');
  });
});
