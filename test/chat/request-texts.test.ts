import { describe, expect, test } from "vitest";
import { RequestTexts } from "../../src/chat/request-texts.js";
import { limits } from "../../src/core/limits.js";
import type { ChatEvent, Message } from "../../src/core/types.js";

const user = (...texts: string[]): Message => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});

/** The texts after these events, and the events that went on to the client. */
function record(messages: Message[], events: ChatEvent[] = []) {
  const passed: ChatEvent[] = [];
  const recorder = new RequestTexts(messages);
  const sink = recorder.events((batch) => {
    passed.push(...batch);
  });
  for (const event of events) sink([event]);
  return { texts: recorder.texts, passed };
}

describe("the texts of a request", () => {
  test("are the last user message and the answer, without reasoning", () => {
    const messages: Message[] = [
      { role: "system", content: [{ type: "text", text: "system" }] },
      user("first"),
      { role: "assistant", content: [{ type: "text", text: "one" }] },
      user("second", "part"),
      { role: "tool", toolCallId: "1", content: [{ type: "text", text: "result" }] },
    ];
    const events: ChatEvent[] = [
      { type: "reasoning", text: "hm" },
      { type: "text", text: "he" },
      { type: "text", text: "llo" },
    ];
    const { texts, passed } = record(messages, events);
    expect(texts).toEqual({
      ...{ prompt: "second\n\npart", promptLength: 12, earlier: 3 },
      ...{ answer: "hello", answerLength: 5 },
    });
    expect(passed).toEqual(events);
  });

  test("are empty for a request without a user message and without an answer", () => {
    const { texts } = record([{ role: "system", content: [{ type: "text", text: "system" }] }]);
    expect(texts).toEqual({ prompt: "", promptLength: 0, earlier: 0, answer: "", answerLength: 0 });
  });

  test("are bounded, never split a character, and tell their whole lengths", () => {
    const long = `${"a".repeat(limits.journalText - 1)}🌉🌉`;
    const pieces = [long.slice(0, 7), long.slice(7), "more"].map((text) => ({ type: "text" as const, text }));
    const { texts } = record([user(long)], pieces);
    const beginning = "a".repeat(limits.journalText - 1);
    expect(texts).toEqual({
      ...{ prompt: beginning, promptLength: long.length, earlier: 0 },
      ...{ answer: beginning, answerLength: long.length + 4 },
    });
  });

  test("have nothing of an answer that the upstream withdrew", () => {
    const { texts } = record([user("x")], [{ type: "text", text: "no" }, { type: "retract" }]);
    expect([texts.answer, texts.answerLength]).toEqual(["", 0]);
  });
});
