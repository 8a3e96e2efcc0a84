import { expect, test } from "vitest";
import { findModel, models } from "../../../src/upstreams/kimi-legacy/models.js";

test("lists the models, one of them the default", () => {
  expect(models.map(({ id, isDefault }) => [id, isDefault])).toEqual([
    ["kimi", true],
    ["kimi-k1", false],
    ["kimi-math", false],
    ["kimi-research", false],
  ]);
});

test.each([
  ["kimi", { kimiPlusId: "kimi", math: false, research: false }],
  ["kimi-k1", { kimiPlusId: "crm40ee9e5jvhsn7ptcg", math: false, research: false }],
  ["kimi-k1-math", { kimiPlusId: "crm40ee9e5jvhsn7ptcg", math: true, research: false }],
  ["kimi-search-research-math", { kimiPlusId: "kimi", math: true, research: true }],
  ["coo6l3pkqq4ri39f36bg", { kimiPlusId: "coo6l3pkqq4ri39f36bg", conversationScope: "coo6l3pkqq4ri39f36bg" }],
])("finds %s", (name, expected) => {
  expect(findModel(name)).toMatchObject({ id: name, ...expected });
});

test.each([
  ["the search suffix of all models", "kimi-search"],
  ["the search suffix after other switches", "kimi-math-search"],
  ["a repeated switch", "kimi-math-math"],
  ["a model of another upstream", "k2d6-chat"],
  ["an unknown switch", "kimi-moon"],
  ["an agent id that is too short", "coo6l3pkqq4ri39f36b"],
  ["an agent id with invalid letters", "zoo6l3pkqq4ri39f36bg"],
  ["an empty name", ""],
])("finds no model for %s: %s", (_what, name) => {
  expect(findModel(name)).toBeUndefined();
});
