import { expect, test } from "vitest";
import { maskClock } from "../../src/chat/system-text.js";

const now = Date.UTC(2026, 10, 28, 21, 0, 0);
const masked = (text: string) => maskClock(text, now);

test.each([
  ["NextChat's Date", "Current time: Sat Nov 28 2026 21:39:14 GMT+0800 (China Standard Time)\nLatex inline"],
  ["a weekday with a date", "Today is Saturday, November 28, 2026."],
  ["ISO 8601", "It is 2026-11-28T21:39:14.123Z."],
  ["ISO 8601 with an offset", "It is 2026-11-28 21:39:14 +08:00."],
  ["Chinese", "现在是 2026年11月28日 星期六 21时39分。"],
  ["American", "Time: 11/28/2026, 9:39:14 PM"],
  ["American, short", "Time: 11/28/26, 9:39:14 PM"],
  ["a day before the month", "It is Saturday 28 November 2026, 5 pm CET"],
  ["Unix times", `At ${now} or ${now / 1_000}`],
])("masks clock values: %s", (_form, text) => {
  const value = masked(text);
  expect(value).not.toMatch(/\d|Sat|Nov|星期/);
  expect(value).toContain("\u{1f552}");
});

test("texts that differ in their clock values are equal when masked, all others are not", () => {
  const at = (time: Date) => masked(`You are Ann.\nCurrent time: ${time.toString()}\nBe kind.`);
  expect(at(new Date(now))).toBe(at(new Date(now + 3_723_000)));
  expect(at(new Date(now))).not.toBe(masked(`You are Bob.\nCurrent time: ${new Date(now)}\nBe kind.`));
});

test.each([
  "You are the Monday planner.",
  "Answer in version 1.2.34 with a ratio of 16.9.",
  "Call 1234567890 and charge 4111111111111111.",
  "你是第三个助手，回答不超过 200 个字。",
])("leaves everything else alone: %s", (text) => {
  expect(masked(text)).toBe(text);
});

test("does not backtrack over hostile texts: a quadratic pattern would exceed the time limit of the test", () => {
  for (const piece of ["1:", "12/", "(time", "Nov ", "2026-", "+08", "星期", "\u{1f552} ", "9 "])
    expect(masked(piece.repeat(500_000))).not.toBe("");
});
