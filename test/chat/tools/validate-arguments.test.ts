import { describe, expect, test } from "vitest";
import { validateArguments } from "../../../src/chat/tools/validate-arguments.js";
import type { JsonObject } from "../../../src/lib/json.js";

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: "object",
  properties,
  ...more,
});
const validate = (parameters: JsonObject, value: JsonObject) =>
  validateArguments({ name: "f", parameters }, value);

const number = { type: "number" };
const string = { type: "string" };

describe("texts become what the schema wants", () => {
  const cases: [string, JsonObject, unknown, unknown][] = [
    ["a number", number, "2.50", 2.5],
    ["an integer", { type: "integer" }, "3", 3],
    ["a boolean", { type: "boolean" }, "True", true],
    ["null", { anyOf: [number, { type: "null" }] }, "null", null],
    ["a nullable number", { type: "number", nullable: true }, "1", 1],
    ["a list of numbers", { type: "array", items: number }, '["1", 2]', [1, 2]],
    ["an object", object({ n: number }), '{"n":"1"}', { n: 1 }],
    ["a value of an enumeration", { enum: [1, 2] }, "2", 2],
    ["a referenced number", { $ref: "#/$defs/count" }, "4", 4],
    ["a value of any key", { type: "object", additionalProperties: number }, { a: "5" }, { a: 5 }],
    ["items by position", { type: "array", prefixItems: [string, number] }, ["6", "7"], ["6", 7]],
  ];

  test.each(cases)("%s", (_, schema, value, expected) => {
    const parameters = object({ v: schema }, { $defs: { count: number } });
    expect(validate(parameters, { v: value })).toEqual({ value: { v: expected }, isCoerced: true });
  });
});

describe("nothing else is converted", () => {
  const cases: [string, JsonObject, unknown][] = [
    ["a number to a text", string, 3],
    ["a word to a number", number, "three"],
    ["an empty text to a number", number, ""],
    ["hexadecimal digits", number, "0x10"],
    ["more digits than a number holds", { type: "integer" }, "12345678901234567890"],
    ["half a number to an integer", { type: "integer" }, "1.5"],
    ["a number to a boolean", { type: "boolean" }, 1],
    ["one value to a list", { type: "array", items: string }, "a"],
    ["JSON in JSON twice", object({ o: object({ n: number }) }, { required: ["o"] }), '{"o":"{\\"n\\":1}"}'],
  ];

  test.each(cases)("%s", (_, schema, value) => {
    expect(validate(object({ v: schema }), { v: value })).toHaveProperty("problem");
  });

  test("a text stays one where the schema allows texts, beside a value that is converted", () => {
    const parameters = object({ a: { type: ["string", "number"] }, b: number });
    expect(validate(parameters, { a: "1", b: "2" })).toEqual({ value: { a: "1", b: 2 }, isCoerced: true });
  });
});

test("a problem names the place", () => {
  const parameters = object({ list: { type: "array", items: object({ n: number }) } });
  expect(validate(parameters, { list: [{ n: 1 }, { n: "x" }] })).toEqual({
    problem: "list[1].n: must be number",
  });
});

test("a key that the schema does not have is allowed, as the model is not told otherwise", () => {
  const value = { a: "x", b: 1 };
  expect(validate(object({ a: string }, { additionalProperties: false }), value)).toEqual({
    value,
    isCoerced: false,
  });
});

test("parameters named like keywords are parameters", () => {
  const parameters = object({ pattern: string, format: number, $ref: string }, { required: ["pattern"] });
  expect(validate(parameters, { pattern: "(", format: 1, $ref: "x" })).toHaveProperty("value");
  expect(validate(parameters, { format: 1 })).toHaveProperty("problem");
});

describe("no schema of a client does harm", () => {
  const deep = (depth: number): JsonObject => (depth === 0 ? string : object({ a: deep(depth - 1) }));
  const doubling = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `d${index}`,
      { anyOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] },
    ]),
  );
  const schemas: [string, JsonObject][] = [
    ["an unknown keyword", { type: "object", "x-order": 1, kind: "y" }],
    ["an unknown type", { type: "object", properties: { a: { type: "file" } } }],
    [
      "a keyword with a wrong value",
      { type: "object", required: "a", properties: [], enum: {}, minLength: "x" },
    ],
    ["an unknown draft", { $schema: "https://example.org/draft", $id: "a", type: "object" }],
    ["an asynchronous schema", { $async: true, type: "object" }],
    [
      "a reference to nothing",
      object({ a: { $ref: "#/$defs/none" }, b: { $ref: "https://example.org/x.json" } }),
    ],
    ["a reference to itself", { $ref: "#" }],
    [
      "references in a circle",
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
    ],
    ["references that double", { $ref: "#/$defs/d0", $defs: doubling }],
    ["a regular expression that never ends", object({ a: { type: "string", pattern: "^(a+)+$" } })],
    [
      "one that is none",
      object({ a: { type: "string", pattern: "(" } }, { patternProperties: { "(": false } }),
    ],
    ["an unknown format", object({ a: { type: "string", format: "path" } })],
    ["deep nesting", object({ z: deep(2_000) })],
    [
      "many properties",
      object(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, string]))),
    ],
    [
      "dangerous keys",
      JSON.parse(
        '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}',
      ),
    ],
  ];

  test.each(schemas)("%s", (_, parameters) => {
    const value = { a: `${"a".repeat(40)}!`, b: 1 };
    expect(validate(parameters, value)).toEqual({ value, isCoerced: false });
  });
});
