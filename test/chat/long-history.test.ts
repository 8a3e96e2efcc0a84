import fc from "fast-check";
import { expect, test } from "vitest";
import { divideHistory, isTooLongForPrompt } from "../../src/chat/long-history.js";
import type { Message } from "../../src/core/types.js";

const say = (role: "user" | "assistant" | "system", length: number): Message => ({
  role,
  content: [{ type: "text", text: "x".repeat(length) }],
});
const result = (length: number): Message => ({
  role: "tool",
  toolCallId: "c",
  content: [{ type: "text", text: "x".repeat(length) }],
});
const call = (length = 2): Message => ({
  role: "assistant",
  content: [],
  toolCalls: [{ id: "c", name: "f", arguments: "x".repeat(length) }],
});
const room = { conversation: 100_000, oldResult: undefined };
const lengthOf = (messages: readonly Message[]) =>
  messages
    .flatMap(({ content }) => content)
    .reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0);

test("whole turns stay if four of them fit, else as many rounds as fit", () => {
  const turns = (length: number) =>
    Array.from({ length: 10 }, () => [say("user", length), say("assistant", length)]).flat();
  const short = divideHistory([...turns(10_000), say("user", 10)], room);
  expect(short.newest.map(({ role }) => role)).toEqual(
    Array.from({ length: 9 }, (_, index) => (index % 2 === 0 ? "user" : "assistant")),
  );
  const long = divideHistory([...turns(30_000), say("user", 10)], room);
  expect(long.newest.map(({ role }) => role)).toEqual(["assistant", "user", "assistant", "user"]);
});

test("a round of calls is not divided, and only the results of a last round with a huge call are kept", () => {
  const rounds = divideHistory(
    [say("user", 90_000), call(), result(40_000), result(40_000), call(), result(30_000)],
    room,
  );
  expect(rounds.newest).toHaveLength(2);
  const huge = divideHistory([say("user", 10), call(200_000), result(10)], room);
  expect(huge.newest.map(({ role }) => role)).toEqual(["tool"]);
});

test("the longest messages of a last round that is too long are shortened, and their whole text is in the file", () => {
  const messages = [call(), result(10), result(500_000), result(80_000)];
  const { newest, filed, older } = divideHistory(messages, room);
  expect(older).toEqual([]);
  expect(filed).toEqual(messages.slice(2));
  expect(newest.slice(0, 2)).toEqual(messages.slice(0, 2));
  expect(lengthOf(newest)).toBeLessThanOrEqual(100_000);
});

test("system messages stay, in their places, and are shortened beyond half of the room", () => {
  const last = say("system", 20);
  const messages = [say("system", 10), say("user", 90_000), say("assistant", 20_000), say("user", 5), last];
  const { system, newest } = divideHistory(messages, room);
  expect(system).toEqual(messages.slice(0, 1));
  expect(newest.at(-1)).toBe(last);
  const long = divideHistory([say("system", 300_000), say("user", 10)], room);
  expect(lengthOf(long.system)).toBeLessThanOrEqual(50_000);
  expect(long.newest).toHaveLength(1);
});

test("any history that is divided fits, nothing is lost, and the newest message stays", () => {
  const length = fc.oneof(fc.nat(100), fc.nat(60_000), fc.nat(300_000));
  const message = fc.oneof(
    fc
      .tuple(fc.constantFrom("user", "assistant", "system"), length)
      .map(([role, size]) => say(role as "user", size)),
    length.map(result),
    fc.nat(20_000).map(call),
  );
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 40 }), (messages) => {
      if (!isTooLongForPrompt(messages, room)) return;
      const { system, newest, older, filed } = divideHistory(messages, room);
      const sent = [...system, ...newest];
      expect(isTooLongForPrompt(sent, room)).toBe(false);
      expect(filed.length).toBeGreaterThan(0);
      expect(sent.length + older.length).toBe(messages.length);
      for (const each of messages) expect(sent.includes(each) || filed.includes(each)).toBe(true);
      if (messages.some(({ role }) => role !== "system")) expect(newest.length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
