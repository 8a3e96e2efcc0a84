import { describe, expect, test } from "vitest";
import {
  chatRecords,
  generateRecords,
  LineEncoder,
  RecordCollector,
} from "../../../src/api/ollama/encode.js";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent } from "../../../src/core/types.js";

const start: ChatEvent = {
  type: "start",
  upstream: "me",
  model: "kimi",
  simulated: false,
  citations: "inline",
  ignored: [],
};
const text = (value: string): ChatEvent => ({ type: "text", text: value });
const finish: ChatEvent = { type: "finish", reason: "stop" };

type Line = { message?: { content: string; tool_calls?: object[] } };

function lines(events: readonly ChatEvent[], form = chatRecords): Line[] {
  const encoded = new LineEncoder(form, "asked").encode(events);
  expect(encoded === "" || encoded.endsWith("\n")).toBe(true);
  return encoded
    .split("\n")
    .slice(0, -1)
    .map((line): Line => JSON.parse(line));
}

function whole(events: readonly ChatEvent[]): object {
  const collector = new RecordCollector(chatRecords, "asked");
  collector.onEvents(events);
  return JSON.parse(collector.toJson());
}

describe("a stream", () => {
  test("is empty before the first content", () => {
    const events: ChatEvent[] = [
      { type: "search", queries: ["q"] },
      { type: "notice", code: "c", message: "m" },
    ];
    expect(lines([start, ...events])).toEqual([]);
  });

  test("has a record for each delta, and counts, notices and conversation in the last one", () => {
    const usage = { input: 3, output: 2, reasoning: 0, cached: 0, estimated: false };
    const events: ChatEvent[] = [
      start,
      { type: "conversation", id: "ab" },
      { type: "notice", code: "c", message: "m" },
      { type: "reasoning", text: "r" },
      text("a"),
      { type: "usage", usage },
      finish,
    ];
    const created_at = expect.any(String);
    expect(lines(events, generateRecords)).toEqual([
      { model: "kimi", created_at, response: "", thinking: "r", done: false },
      { model: "kimi", created_at, response: "a", done: false },
      {
        model: "kimi",
        created_at,
        response: "",
        done: true,
        done_reason: "stop",
        total_duration: expect.any(Number),
        load_duration: 0,
        prompt_eval_count: 3,
        prompt_eval_duration: expect.any(Number),
        eval_count: 2,
        eval_duration: expect.any(Number),
        context: [97, 98],
        moonbridge_notices: [{ code: "c", message: "m" }],
      },
    ]);
  });

  test("has characters at which some readers end a line only as escapes", () => {
    const value = "a\u2028b\u0085c\nd\r";
    const encoded = new LineEncoder(chatRecords, "m").encode([start, text(value)]);
    expect(encoded).not.toMatch(/[\u2028\u0085\r]|\n./);
    expect(JSON.parse(encoded)).toMatchObject({ message: { content: value } });
  });

  test("splits long texts", () => {
    const long = "月".repeat(100_000);
    const records = lines([start, text(long), finish]);
    expect(records.length).toBeGreaterThan(5);
    expect(records.map(({ message }) => message?.content).join("")).toBe(long);
  });

  test("has each tool call whole, with its arguments as an object", () => {
    const call = (index: number, args: string, name?: string): ChatEvent => ({
      type: "tool-call",
      index,
      arguments: args,
      ...(name === undefined ? {} : { id: `id-${index}`, name }),
    });
    const events = [start, text("a"), call(0, "", "now"), call(1, '{"a":', "find"), call(1, "1}"), finish];
    const calls = [
      { id: "id-0", function: { index: 0, name: "now", arguments: {} } },
      { id: "id-1", function: { index: 1, name: "find", arguments: { a: 1 } } },
    ];
    expect(lines(events).flatMap(({ message }) => message?.tool_calls ?? [])).toEqual(calls);
    expect(whole(events)).toMatchObject({ message: { content: "a", tool_calls: calls } });
    for (const args of ['{"a"', "[1]"]) {
      expect(() => lines([start, call(0, args, "find"), finish])).toThrow(/no JSON object/);
    }
  });

  test.each([
    ["stop", "stop"],
    ["length", "length"],
    ["tool-calls", "stop"],
    ["content-filter", "content_filter"],
  ] as const)("that ends by %s has the reason %s", (reason, done_reason) => {
    const last = lines([start, text("a"), { type: "finish", reason }]).at(-1);
    expect(last).toMatchObject({ done: true, done_reason });
  });

  test("has keep-alives, words and errors that do not end it", () => {
    const encoder = new LineEncoder(chatRecords, "asked");
    const keepAlive = { model: "asked", message: { role: "assistant", content: "" }, done: false };
    expect(JSON.parse(encoder.encodeKeepAlive())).toMatchObject(keepAlive);
    expect(JSON.parse(encoder.encodeText("words"))).toMatchObject({
      message: { content: "words" },
      done: false,
    });
    expect(JSON.parse(encoder.encodeError(new GatewayError("upstream_cut", "Cut.")))).toEqual({
      error: "Cut.",
    });
  });
});

test("a whole answer that was withdrawn has no content", () => {
  const events: ChatEvent[] = [
    start,
    text("a"),
    { type: "retract" },
    { type: "finish", reason: "content-filter" },
  ];
  expect(whole(events)).toMatchObject({
    message: { content: "" },
    done: true,
    done_reason: "content_filter",
  });
});
