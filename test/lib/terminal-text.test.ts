import { expect, test } from "vitest";
import { escapeControls, toTerminalLine } from "../../src/lib/terminal-text.js";

/** Escape sequences of terminals, C1 controls, carriage returns, line separators and bidi characters. */
const hostile = [
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u009b31m",
  "\r",
  "\n",
  "\u0008",
  "\u007f",
  "\u2028",
  "\u202e",
  "\u2066",
  "\u200f",
];

test("a terminal line has no control and bidi characters", () => {
  const line = toTerminalLine(`a${hostile.join("b")}c`);
  expect(line).not.toMatch(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
  expect(line).toMatch(/^a�\[2Jb�\]0;title�b�31mb�/);
});

test("other text is unchanged in a terminal line", () => {
  const text = "“你好”, 👨‍👩‍👧 – Grüße, עברית, ｛｝ 100 %";
  expect(toTerminalLine(text)).toBe(text);
});

test("escaped JSON has the same value and no control characters but line feeds", () => {
  const value = { [hostile.join("k")]: hostile, plain: "你好" };
  const escaped = escapeControls(JSON.stringify(value, null, 2));
  expect(JSON.parse(escaped)).toEqual(value);
  expect(escaped.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
  expect(escaped).toContain("你好");
});
