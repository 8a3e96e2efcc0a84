import { expect, test } from "vitest";
import { GrowingText } from "../../src/chat/text-buffer.js";

test("a text is what its pieces are, one behind the other", () => {
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
  const text = new GrowingText();
  let said = "";
  for (let round = 0; round < 200; round++) {
    for (const piece of pieces) {
      text.add(piece);
      said += piece;
    }
    expect(text.length).toBe(said.length);
    if (round % 20 === 0) expect(text.toString() === said).toBe(true);
  }
  expect(text.toString() === said).toBe(true);
});

test("one that nothing was added to is empty", () => {
  expect([`${new GrowingText()}`, new GrowingText().length]).toEqual(["", 0]);
});
