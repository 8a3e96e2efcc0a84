import { expect, test } from "vitest";
import { rejectOversized } from "../../src/chat/request-size.js";
import type { Message } from "../../src/core/types.js";

const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });

test("more messages than any conversation has are refused, with the limit", () => {
  expect(() => rejectOversized(Array<Message>(20_000).fill(user("a")))).not.toThrow();
  expect(() => rejectOversized(Array<Message>(20_001).fill(user("a")))).toThrow(
    expect.objectContaining({
      code: "invalid_request",
      param: "messages",
      message: expect.stringMatching(/20000/),
    }),
  );
});

test.each<[string, Message]>([
  ["text", user("a".repeat(10_000_001))],
  ["reasoning", { role: "assistant", content: [], reasoning: "a".repeat(10_000_001) }],
  [
    "arguments of tool calls",
    { role: "assistant", content: [], toolCalls: [{ id: "", name: "f", arguments: "a".repeat(10_000_001) }] },
  ],
  [
    "links",
    {
      role: "user",
      content: [{ type: "image", source: { kind: "link", url: "a".repeat(10_000_001) }, path: "" }],
    },
  ],
])("more %s than any model takes is refused, with the limit", (_kind, message) => {
  expect(() => rejectOversized([message])).toThrow(
    expect.objectContaining({ code: "context_length_exceeded", message: expect.stringMatching(/10000000/) }),
  );
});

test("pictures do not count as text", () => {
  const source = { kind: "bytes", base64: "a".repeat(10_000_001) } as const;
  expect(() =>
    rejectOversized([{ role: "user", content: [{ type: "image", source, path: "" }] }]),
  ).not.toThrow();
});
