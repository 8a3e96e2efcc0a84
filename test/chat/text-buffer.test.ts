import { expect, test } from "vitest";
import { TextBuffer } from "../../src/chat/text-buffer.js";

test("the buffer is the concatenation of its pieces, lone surrogates included", () => {
  const pieces = [
    "",
    "a",
    "天空",
    "😀",
    "\ud83d",
    "\ude00",
    "\udc00",
    "\0",
    "é\n",
    "x".repeat(1_000),
    "",
    "ende",
  ];
  const text = new TextBuffer();
  let expected = "";
  for (let round = 0; round < 200; round++) {
    for (const piece of pieces) {
      text.append(piece);
      expected += piece;
    }
    expect(text.length).toBe(expected.length);
    if (round % 20 === 0) expect(text.toString() === expected).toBe(true);
  }
  expect(text.toString() === expected).toBe(true);
});

test("a new buffer is empty", () => {
  expect([`${new TextBuffer()}`, new TextBuffer().length]).toEqual(["", 0]);
});
