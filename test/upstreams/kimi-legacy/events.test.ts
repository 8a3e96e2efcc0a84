import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatEvent } from "../../../src/core/types.js";
import { ProtocolDrift } from "../../../src/observability/protocol-drift.js";
import { SseDecoder } from "../../../src/upstreams/http/sse-decoder.js";
import { LegacyChatInterpreter } from "../../../src/upstreams/kimi-legacy/events.js";

type Outcome = { events: ChatEvent[]; error: unknown; drift: string[]; unfinished: string | undefined };

/** The outcome of a stream with a proper end, split into the given chunks. */
function interpret(chunks: readonly Buffer[]): Outcome {
  const drift = new ProtocolDrift();
  const interpreter = new LegacyChatInterpreter(drift);
  const decoder = new SseDecoder(1_000_000, "Kimi");
  const events: ChatEvent[] = [];
  let error: unknown;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      while (!interpreter.isComplete) {
        const data = decoder.next();
        if (data === undefined) break;
        interpreter.interpret(data, events);
      }
    }
    interpreter.onStreamEnd();
    events.push({ type: "finish", reason: interpreter.finishReason() });
  } catch (thrown) {
    error = thrown;
  }
  const names = drift.entries().map(({ kind, name }) => `${kind} ${name}`);
  return { events, error, drift: names, unfinished: interpreter.continuationSegment };
}

const sseBytes = (...events: unknown[]) =>
  Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
const textEvent = (text: string) => ({ event: "cmpl", idx_s: 0, idx_z: 0, text, view: "cmpl" });
const [hi, done, allDone, length] = [
  textEvent("Hi"),
  { event: "done" },
  { event: "all_done" },
  { event: "length" },
];
const req = { event: "req", content: "?", group_id: "g", id: "s0", refs: [] };
const resp = { event: "resp", group_id: "g", id: "s1" };
const errorEvent = (error_type: string, message = "") => ({ event: "error", error: { error_type, message } });

describe("the transcript of kimi-web.md §5.9", () => {
  const fixture = readFileSync(new URL("../../simulator/fixtures/legacy.txt", import.meta.url), "utf8");
  const lines = (fixture.split("# 5.10")[0] ?? "").split("\n").filter((line) => line.startsWith("data: "));
  const source = Buffer.from(lines.map((line) => `${line}\n\n`).join(""));
  const expected: ChatEvent[] = [
    { type: "search", queries: [] },
    { type: "source", source: { index: 1, url: "https://example.org/nanjing", title: "南京天气" } },
    { type: "text", text: "今天" },
    { type: "text", text: "晴。" },
    { type: "finish", reason: "stop" },
  ];

  test("gives a search, its source and the answer", () => {
    expect(interpret([source])).toEqual({
      events: expected,
      error: undefined,
      drift: [],
      unfinished: undefined,
    });
  });

  test("gives the same events when split at every byte offset", () => {
    for (let at = 0; at <= source.length; at++) {
      expect(interpret([source.subarray(0, at), source.subarray(at)]).events).toEqual(expected);
    }
    expect(interpret(Array.from(source, (byte) => Buffer.from([byte]))).events).toEqual(expected);
  });
});

describe("the ending of an answer", () => {
  const outcome = (...events: unknown[]) => {
    const { events: out, error } = interpret([sseBytes(req, resp, ...events)]);
    const last = out.at(-1);
    if (error instanceof Error && "code" in error) return error.code;
    return last?.type === "finish" ? last.reason : "none";
  };

  test.each([
    ["complete", [hi, done, allDone], "stop"],
    ["complete without `done`", [hi, allDone], "stop"],
    ["complete in two parts", [hi, done, hi, done, allDone], "stop"],
    ["`done` and a proper end of the response", [hi, done], "stop"],
    ["closed in the middle", [hi], "upstream_cut"],
    ["closed in the middle of a second part", [hi, done, hi], "upstream_cut"],
    ["closed before the first delta", [], "upstream_cut"],
    ["cut to length", [hi, length, allDone], "length"],
    ["cut to length and closed", [hi, length], "length"],
    ["empty", [done, allDone], "upstream_protocol"],
    [
      "a search without an answer",
      [{ event: "search_plus", msg: { type: "start" } }, done, allDone],
      "upstream_protocol",
    ],
    ["an error after `all_done` is ignored", [hi, allDone, errorEvent("kimi.completion.overloaded")], "stop"],
    ["an error after `done`", [hi, done, errorEvent("kimi.completion.overloaded")], "upstream_overloaded"],
    ["overloaded", [errorEvent("kimi.completion.overloaded")], "upstream_overloaded"],
    [
      "overloaded, type of 2023",
      [errorEvent("openai.completion.stream", "Kimi 现在有点累了")],
      "upstream_overloaded",
    ],
    ["too long", [errorEvent("kimi.completion.token_length_too_long")], "context_length_exceeded"],
    [
      "too long, type of 2024",
      [errorEvent("openai.completion.token_length_too_long")],
      "context_length_exceeded",
    ],
    ["too long, another type", [errorEvent("long_text_flash_catcher_limit")], "context_length_exceeded"],
    ["busy", [errorEvent("chat.user_stream_pushing")], "account_busy"],
    ["closed chat", [errorEvent("chat.forbidden", "此会话已被禁用")], "not_found"],
    ["login", [errorEvent("auth.token.invalid")], "account_login_required"],
    ["an unknown error is no content filter", [errorEvent("moon.eclipse", "?")], "upstream_unavailable"],
    ["an error without a type", [{ event: "error", message: "?" }], "upstream_unavailable"],
    ["filtered, by its type", [errorEvent("kimi.completion.content_filter")], "content_filter"],
    ["filtered, by its words", [errorEvent("x.y", "内容违规，请换个话题")], "content_filter"],
    ["filtered after a delta", [hi, errorEvent("kimi.completion.content_filter")], "content-filter"],
    ["an error after a delta", [hi, errorEvent("x.y")], "upstream_unavailable"],
  ])("%s", (_name, events, expected) => {
    expect(outcome(...events)).toBe(expected);
  });

  test("is an error for data that is not JSON", () => {
    expect(interpret([Buffer.from("data: this is not {JSON\n\n")]).error).toMatchObject({
      code: "upstream_protocol",
    });
  });

  test("quotes Kimi's message unless hubs would disable the channel for it", () => {
    const message = (sentence: string) => String(interpret([sseBytes(errorEvent("x.y", sentence))]).error);
    expect(message("月亮遮住了太阳")).toMatch(/Kimi says: “月亮遮住了太阳”$/);
    expect(message("Your credit balance is empty")).not.toMatch(/credit/);
  });
});

test("continues a cut answer at the id of its question, else of the answer", () => {
  expect(interpret([sseBytes(req, resp, hi, length)]).unfinished).toBe("s0");
  expect(interpret([sseBytes(resp, hi, length)]).unfinished).toBe("s1");
  expect(interpret([sseBytes(hi, length)]).unfinished).toBeUndefined();
});

test("joins several streams of one answer and numbers each source once", () => {
  const interpreter = new LegacyChatInterpreter(new ProtocolDrift());
  const events: ChatEvent[] = [];
  const hit = { event: "search_plus", msg: { type: "get_res", title: "A", url: "https://a.example" } };
  const read = (...all: unknown[]) => {
    for (const each of all) interpreter.interpret(JSON.stringify(each), events);
  };
  read(req, hit, textEvent("Hal"), length, allDone);
  expect([interpreter.isComplete, interpreter.continuationSegment]).toEqual([true, "s0"]);
  interpreter.startNextStream();
  read(resp, hit, textEvent("lo"), done, allDone);
  expect([interpreter.continuationSegment, interpreter.finishReason()]).toEqual([undefined, "stop"]);
  expect(events.map(({ type }) => type)).toEqual(["source", "text", "text"]);
});

test("drops U+FFFD at the end of a delta but keeps it elsewhere", () => {
  const { events } = interpret([
    sseBytes(textEvent("天\ufffd"), textEvent("天\ufffd气"), textEvent("\ufffd"), allDone),
  ]);
  expect(events.slice(0, -1)).toEqual([
    { type: "text", text: "天" },
    { type: "text", text: "天\ufffd气" },
  ]);
});

test("records unknown events as drift by name and ignores known events without content", () => {
  const unknownEvents = [
    { event: "rename", name: "x" },
    { event: "k1", text: "Hm" },
    { event: "search_plus", msg: { type: "answer" } },
    { event: "a b" },
    { nothing: true },
  ];
  const ignoredEvents = [{ event: "ping" }, { event: "debug", message: { need2search: true } }];
  const { events, drift } = interpret([sseBytes(req, ...unknownEvents, ...ignoredEvents, hi, done, allDone)]);
  expect(events).toEqual([
    { type: "text", text: "Hi" },
    { type: "finish", reason: "stop" },
  ]);
  expect(drift.sort()).toEqual([
    "event (not an identifier)",
    "event k1",
    "event none",
    "event rename",
    "event search_plus.answer",
  ]);
});

test("gives events or a GatewayError for any bytes", () => {
  const names = [
    "cmpl",
    "req",
    "resp",
    "search_plus",
    "error",
    "length",
    "done",
    "all_done",
    "ping",
    "x",
    1,
    null,
  ];
  const anyEvent = fc.oneof(
    fc.json({ maxDepth: 4 }).map((json) => sseBytes(JSON.parse(json))),
    fc
      .record(
        {
          event: fc.constantFrom(...names),
          text: fc.anything(),
          msg: fc.anything(),
          error: fc.anything(),
          id: fc.anything(),
        },
        { requiredKeys: ["event"] },
      )
      .map((event) => Buffer.from(`data: ${safeJson(event)}\n\n`)),
    fc.uint8Array({ maxLength: 60 }).map((raw) => Buffer.from(raw)),
  );
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 8 }), (chunks) => {
      const { error: thrown } = interpret([sseBytes(req, resp), ...chunks]);
      if (thrown !== undefined) expect(thrown).toMatchObject({ name: "GatewayError" });
    }),
    { numRuns: 5_000 },
  );
});

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return "null";
  }
}

test("each field that is not used is counted as protocol drift", () => {
  const aura = { aura: 1 };
  const search = {
    event: "search_plus",
    msg: { type: "get_res", title: "t", url: "https://example.org/", ...aura },
  };
  const { error, drift } = interpret([
    sseBytes({ ...req, ...aura }, resp, search, { ...hi, ...aura }, { ...done, ...aura }, allDone),
  ]);
  expect(error).toBeUndefined();
  const fields = ["req.aura", "search_plus.msg.aura", "cmpl.aura", "done.aura"];
  expect(drift).toEqual(fields.map((field) => `field ${field}`));
});
