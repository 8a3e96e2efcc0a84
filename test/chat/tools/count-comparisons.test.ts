import { expect, test } from "vitest";
import { countComparisons } from "../../../src/chat/tools/count-comparisons.js";
import { validateJson } from "../../../src/chat/tools/validate-json.js";

const branches = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ type: "object", required: [`key${index}`] }));

test("comparisons are counted by the values and by what one value is compared with", () => {
  expect(countComparisons(1, { type: "number" })).toBe(1);
  expect(countComparisons([1, 2, 3], { items: { anyOf: branches(99) } })).toBe(4 * 100 + 99);
  const nested = { properties: { a: { properties: { b: { anyOf: branches(9) } } }, c: {} } };
  expect(countComparisons({ a: { b: 1 }, c: 1 }, nested)).toBe(4 * 10 + 2 * 9);
  const spread = { anyOf: [{ properties: { a: { anyOf: branches(4) } } }, { additionalProperties: {} }] };
  expect(countComparisons({ a: 1 }, spread)).toBe(2 * 6 + 4);
});

test("JSON that would be compared for seconds with a schema does not fit it", () => {
  const schema = { type: "array", items: { anyOf: [...branches(1_000), { type: "number" }] } };
  expect(validateJson([1, 2, 3], schema)).toEqual({ value: [1, 2, 3], isCoerced: false });
  const problem = "is too large to be compared with its schema";
  expect(validateJson(Array(3_000).fill(1), schema)).toEqual({ problem });
});

test("a long list of many keys is compared with its schema", () => {
  const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);
  const properties = Object.fromEntries(keys.map((key) => [key, { type: "integer" }]));
  const schema = { type: "array", items: { type: "object", properties, required: keys } };
  const row = Object.fromEntries(keys.map((key) => [key, 1]));
  expect(validateJson(Array(500).fill(row), schema)).toMatchObject({ isCoerced: false });
  expect(validateJson([...Array(499).fill(row), { ...row, key7: true }], schema)).toEqual({
    problem: "499.key7: must be integer",
  });
});
