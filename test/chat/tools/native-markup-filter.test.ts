import { expect, test } from "vitest";
import { NativeMarkupFilter } from "../../../src/chat/tools/native-markup-filter.js";
import type { ChatEvent } from "../../../src/core/types.js";

const markup =
  "<|tool_calls_section_begin|><|tool_call_begin|>ipython:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>";

test("an answer with Kimi's own call markup loses it, is counted, and is no place to go on from", () => {
  const { events, counts } = filter([`a${markup.slice(0, 40)}`, `${markup.slice(40)}b`]);
  expect(events).toEqual([
    { type: "text", text: "a" },
    { type: "text", text: "b" },
    { type: "finish", reason: "stop", isInexact: true },
  ]);
  expect(counts).toEqual([1]);
});

test("an answer without it stays as it is", () => {
  const { events, counts } = filter(["a <|tool", " b"]);
  expect(events.map((event) => (event.type === "text" ? event.text : "")).join("")).toBe("a <|tool b");
  expect(events.at(-1)).toEqual({ type: "finish", reason: "stop" });
  expect(counts).toEqual([]);
});

test("a citation keeps its place in the text", () => {
  const received: ChatEvent[] = [];
  const sink = new NativeMarkupFilter(() => {}).events((events) => void received.push(...events));
  void sink([
    { type: "text", text: "1 <" },
    { type: "citation", sources: [1] },
    { type: "text", text: " 2" },
  ]);
  expect(received.map(({ type }) => type)).toEqual(["text", "text", "citation", "text"]);
});

function filter(texts: readonly string[]): { events: ChatEvent[]; counts: number[] } {
  const events: ChatEvent[] = [];
  const counts: number[] = [];
  const filtered = new NativeMarkupFilter((count) => counts.push(count));
  const sink = filtered.events((received) => void events.push(...received));
  for (const text of texts) void sink([{ type: "text", text }]);
  void sink([{ type: "finish", reason: "stop" }]);
  return { events, counts };
}
