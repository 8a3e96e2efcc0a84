import { expect, test } from "vitest";
import { modelNamed, models } from "../../../src/upstreams/kimi-legacy/models.js";

test("the listed models, one of them the default", () => {
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
  ["coo6l3pkqq4ri39f36bg", { kimiPlusId: "coo6l3pkqq4ri39f36bg", scope: "coo6l3pkqq4ri39f36bg" }],
])("%s", (name, expected) => {
  expect(modelNamed(name)).toMatchObject({ id: name, ...expected });
});

test.each([
  ["a switch of every model at its end", "kimi-search"],
  ["the same, behind others", "kimi-math-search"],
  ["twice the same", "kimi-math-math"],
  ["another upstream's", "k2d6-chat"],
  ["another word", "kimi-moon"],
  ["an agent's id that is too short", "coo6l3pkqq4ri39f36b"],
  ["letters that no id has", "zoo6l3pkqq4ri39f36bg"],
  ["nothing", ""],
])("%s is none: %s", (_what, name) => {
  expect(modelNamed(name)).toBeUndefined();
});
