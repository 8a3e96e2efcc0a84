import { expect, test } from "vitest";
import { matchesWildcard } from "../../src/lib/wildcard.js";

test.each<[pattern: string, text: string, matches: boolean]>([
  ["kimi", "kimi", true],
  ["kimi", "kimi-search", false],
  ["KIMI", "Kimi", true],
  ["gpt-*", "gpt-4o", true],
  ["gpt-*", "gpt-", true],
  ["gpt-*", "my-gpt-4o", false],
  ["*-mini", "gpt-4o-mini", true],
  ["*-mini", "gpt-4o-mini-2", false],
  ["gpt-*-mini", "gpt-4o-mini", true],
  ["gpt-*-mini", "gpt-mini", false],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "a-c-b", false],
  ["ab*ba", "aba", false],
  ["*", "", true],
  ["**", "anything", true],
  ["gpt.4", "gpt-4", false],
])("%j matches %j: %s", (pattern, text, matches) => {
  expect(matchesWildcard(pattern, text)).toBe(matches);
});

test("a pattern of many stars is compared in linear time", () => {
  expect(matchesWildcard(`${"*a".repeat(5_000)}b`, "a".repeat(100_000))).toBe(false);
});
