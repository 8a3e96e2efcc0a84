import { describe, expect, test } from "vitest";
import { ChunkEncoder, CompletionEncoder } from "../../../src/api/openai-chat/encode.js";
import type { ChatEvent } from "../../../src/core/types.js";
import { parseChunks } from "../../gateway.js";

const start: ChatEvent = {
  type: "start",
  upstream: "u",
  model: "m",
  simulated: false,
  citations: "off",
  ignored: [],
};

/** The text that the client gets for a batch of events. */
function encodeBatch(encoder: ChunkEncoder, events: readonly ChatEvent[]): string {
  return encoder.encode(events);
}

const args = JSON.stringify({ text: "月\u2028".repeat(10_000) });
const calls: ChatEvent[] = [
  start,
  { type: "reasoning", text: "Two of them." },
  { type: "tool-call", index: 0, id: "a:0", name: "a", arguments: "" },
  { type: "tool-call", index: 0, arguments: args.slice(0, 9) },
  { type: "tool-call", index: 0, arguments: args.slice(9) },
  { type: "tool-call", index: 1, id: "b:1", name: "b", arguments: "{}" },
  { type: "finish", reason: "tool-calls" },
];

describe("tool calls (clients.md §7 row 36)", () => {
  test("streamed: one call in each delta, first id and name, then the arguments in pieces", () => {
    const chunks = parseChunks(encodeBatch(new ChunkEncoder(false), calls));
    const entries = chunks.flatMap(({ choices }) => {
      const pieces = Object(choices[0]?.delta).tool_calls ?? [];
      expect(pieces.length).toBeLessThanOrEqual(1);
      return pieces;
    });
    expect(entries[0]).toEqual({
      index: 0,
      id: "a:0",
      type: "function",
      function: { name: "a", arguments: "" },
    });
    const joined = (index: number) =>
      entries.flatMap((each) => (each.index === index ? [each.function.arguments] : [])).join("");
    expect([joined(0), joined(1)]).toEqual([args, "{}"]);
    for (const later of entries.filter((each) => !("id" in each)))
      expect(later).toEqual({ index: expect.any(Number), function: { arguments: expect.any(String) } });
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
  });

  test("not streamed: the message has the calls, and null as content if there is no text", () => {
    const encoder = new CompletionEncoder();
    encoder.onEvents(calls);
    expect(JSON.parse(encoder.toJson()).choices).toEqual([
      {
        index: 0,
        message: {
          role: "assistant",
          content: null,
          refusal: null,
          reasoning_content: "Two of them.",
          tool_calls: [
            { id: "a:0", type: "function", function: { name: "a", arguments: args } },
            { id: "b:1", type: "function", function: { name: "b", arguments: "{}" } },
          ],
        },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ]);
  });
});

test("a text may come before any event, as the first delta after the role", () => {
  const encoder = new ChunkEncoder(false, "chatcmpl-x");
  const written = encoder.encodeText("late");
  expect(written.match(/"delta":\{[^}]*\}/g)).toEqual([
    '"delta":{"role":"assistant","content":""}',
    '"delta":{"content":"late"}',
  ]);
});

describe("verbatim answers", () => {
  const verbatim = (json: string, usageOnly = false): ChatEvent => ({
    type: "verbatim",
    dialect: "openai-chat",
    json,
    usageOnly,
  });
  const finish: ChatEvent = { type: "finish", reason: "stop" };

  test("streamed: plain events are not encoded, the first chunk is held back, notices are merged into it", () => {
    const encoder = new ChunkEncoder(false);
    expect(
      encodeBatch(encoder, [start, { type: "notice", code: "n", message: "m" }, verbatim('{"id":"1"}')]),
    ).toBe("");
    const first = 'data: {"id":"1","moonbridge_notices":[{"code":"n","message":"m"}]}\n\n';
    expect(encodeBatch(encoder, [verbatim('{"id":"2"}'), { type: "text", text: "x" }])).toBe(
      `${first}data: {"id":"2"}\n\n`,
    );
    expect(encodeBatch(encoder, [{ type: "tool-call", index: 0, arguments: "x" }])).toBe("");
    expect(encodeBatch(encoder, [verbatim('{"usage":{}}', true), finish])).toBe("data: [DONE]\n\n");
  });

  test("streamed: the first chunk is sent at once if it has content or is the last", () => {
    const withContent = new ChunkEncoder(false);
    expect(encodeBatch(withContent, [start, verbatim("{}"), { type: "reasoning", text: "x" }])).toBe(
      "data: {}\n\n",
    );
    const ended = new ChunkEncoder(false);
    expect(encodeBatch(ended, [start, verbatim("{}"), finish])).toBe("data: {}\n\ndata: [DONE]\n\n");
  });

  test("not streamed: the upstream's JSON is the body, unchanged", () => {
    const encoder = new CompletionEncoder();
    encoder.onEvents([start, verbatim('{ "id": 1 }\n'), { type: "text", text: "x" }, finish]);
    expect(encoder.toJson()).toBe('{ "id": 1 }\n');
  });
});
