import { describe, expect, test } from "vitest";
import { ChunkEncoder, CompletionEncoder } from "../../../src/api/openai-chat/encode.js";
import { chunksOf as bodyOf, contentOf } from "../../../src/api/stream/chunked-body.js";
import type { ChatEvent } from "../../../src/core/types.js";
import { chunksOf } from "../../gateway.js";

const start: ChatEvent = {
  type: "start",
  upstream: "u",
  model: "m",
  simulated: false,
  citations: "off",
  ignored: [],
};

/** What a lot of events is to a client. */
function encoded(encoder: ChunkEncoder, events: readonly ChatEvent[]): string {
  return contentOf(bodyOf((body) => encoder.encode(events, body))).toString();
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

describe("tool calls (clients.md row 36)", () => {
  test("streamed: one entry a delta, the name first, then the arguments, which add up", () => {
    const chunks = chunksOf(encoded(new ChunkEncoder(false), calls));
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

  test("whole: the message has them, and null where nothing was said", () => {
    const encoder = new CompletionEncoder();
    encoder.hear(calls);
    expect(JSON.parse(encoder.body()).choices).toEqual([
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

describe("an answer that comes as it is", () => {
  const verbatim = (json: string, usageOnly = false): ChatEvent => ({
    type: "verbatim",
    dialect: "openai-chat",
    json,
    usageOnly,
  });
  const finish: ChatEvent = { type: "finish", reason: "stop" };

  test("hides the plain events, waits with its first chunk, and carries the remarks", () => {
    const encoder = new ChunkEncoder(false);
    expect(
      encoded(encoder, [start, { type: "notice", code: "n", message: "m" }, verbatim('{"id":"1"}')]),
    ).toBe("");
    const first = 'data: {"id":"1","moonbridge_notices":[{"code":"n","message":"m"}]}\n\n';
    expect(encoded(encoder, [verbatim('{"id":"2"}'), { type: "text", text: "x" }])).toBe(
      `${first}data: {"id":"2"}\n\n`,
    );
    expect(encoded(encoder, [{ type: "tool-call", index: 0, arguments: "x" }])).toBe("");
    expect(encoded(encoder, [verbatim('{"usage":{}}', true), finish])).toBe("data: [DONE]\n\n");
  });

  test("does not wait where its first chunk says something, or is the last", () => {
    const said = new ChunkEncoder(false);
    expect(encoded(said, [start, verbatim("{}"), { type: "reasoning", text: "x" }])).toBe("data: {}\n\n");
    const ended = new ChunkEncoder(false);
    expect(encoded(ended, [start, verbatim("{}"), finish])).toBe("data: {}\n\ndata: [DONE]\n\n");
  });

  test("whole it is the body", () => {
    const encoder = new CompletionEncoder();
    encoder.hear([start, verbatim('{ "id": 1 }\n'), { type: "text", text: "x" }, finish]);
    expect(encoder.body()).toBe('{ "id": 1 }\n');
  });
});
