import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatEvent } from "../../../src/core/types.js";
import { Drift } from "../../../src/observability/protocol-drift.js";
import { EventDecoder } from "../../../src/upstreams/http/sse-decoder.js";
import { AnswerInterpreter } from "../../../src/upstreams/kimi-legacy/events.js";

type Outcome = { events: ChatEvent[]; error: unknown; drift: string[]; unfinished: string | undefined };

/** Everything that comes out of a stream that closes in good order, split into the given chunks. */
function interpret(chunks: readonly Buffer[]): Outcome {
  const drift = new Drift();
  const interpreter = new AnswerInterpreter(drift);
  const decoder = new EventDecoder(1_000_000, "Kimi");
  const events: ChatEvent[] = [];
  let error: unknown;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      while (!interpreter.ended) {
        const data = decoder.next();
        if (data === undefined) break;
        interpreter.read(data, events);
      }
    }
    interpreter.close();
    events.push({ type: "finish", reason: interpreter.finishReason() });
  } catch (thrown) {
    error = thrown;
  }
  const names = drift.entries().map(({ kind, name }) => `${kind} ${name}`);
  return { events, error, drift: names, unfinished: interpreter.unfinished };
}

const bytes = (...events: unknown[]) =>
  Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
const cmpl = (text: string) => ({ event: "cmpl", idx_s: 0, idx_z: 0, text, view: "cmpl" });
const [hi, done, allDone, length] = [
  cmpl("Hi"),
  { event: "done" },
  { event: "all_done" },
  { event: "length" },
];
const req = { event: "req", content: "?", group_id: "g", id: "s0", refs: [] };
const resp = { event: "resp", group_id: "g", id: "s1" };
const error = (error_type: string, message = "") => ({ event: "error", error: { error_type, message } });

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

  test("a search, its source and the answer", () => {
    expect(interpret([source])).toEqual({
      events: expected,
      error: undefined,
      drift: [],
      unfinished: undefined,
    });
  });

  test("split at every byte offset it gives the same events", () => {
    for (let at = 0; at <= source.length; at++) {
      expect(interpret([source.subarray(0, at), source.subarray(at)]).events).toEqual(expected);
    }
    expect(interpret(Array.from(source, (byte) => Buffer.from([byte]))).events).toEqual(expected);
  });
});

describe("endings", () => {
  const outcome = (...events: unknown[]) => {
    const { events: out, error } = interpret([bytes(req, resp, ...events)]);
    const last = out.at(-1);
    if (error instanceof Error && "code" in error) return error.code;
    return last?.type === "finish" ? last.reason : "none";
  };

  test.each([
    ["complete", [hi, done, allDone], "stop"],
    ["complete without `done`", [hi, allDone], "stop"],
    ["in two parts", [hi, done, hi, done, allDone], "stop"],
    ["`done`, and then closed in good order", [hi, done], "stop"],
    ["closed in the middle", [hi], "upstream_cut"],
    ["closed in the middle of a second part", [hi, done, hi], "upstream_cut"],
    ["closed before a word", [], "upstream_cut"],
    ["cut to length", [hi, length, allDone], "length"],
    ["cut to length and closed", [hi, length], "length"],
    ["empty", [done, allDone], "upstream_protocol"],
    [
      "searched and said nothing",
      [{ event: "search_plus", msg: { type: "start" } }, done, allDone],
      "upstream_protocol",
    ],
    ["what follows the end does not count", [hi, allDone, error("kimi.completion.overloaded")], "stop"],
    ["an error after `done`", [hi, done, error("kimi.completion.overloaded")], "upstream_overloaded"],
    ["overloaded", [error("kimi.completion.overloaded")], "upstream_overloaded"],
    ["failed of 2023", [error("openai.completion.stream", "Kimi 现在有点累了")], "upstream_overloaded"],
    ["too long", [error("kimi.completion.token_length_too_long")], "context_length_exceeded"],
    ["too long of 2024", [error("openai.completion.token_length_too_long")], "context_length_exceeded"],
    ["too long, other name", [error("long_text_flash_catcher_limit")], "context_length_exceeded"],
    ["busy", [error("chat.user_stream_pushing")], "account_busy"],
    ["closed chat", [error("chat.forbidden", "此会话已被禁用")], "not_found"],
    ["login", [error("auth.token.invalid")], "account_login_required"],
    ["any other error is no refusal of what was said", [error("moon.eclipse", "?")], "upstream_unavailable"],
    ["no type at all", [{ event: "error", message: "?" }], "upstream_unavailable"],
    ["filtered, by its type", [error("kimi.completion.content_filter")], "content_filter"],
    ["filtered, by its words", [error("x.y", "内容违规，请换个话题")], "content_filter"],
    ["filtered after a word", [hi, error("kimi.completion.content_filter")], "content-filter"],
    ["an error after a word", [hi, error("x.y")], "upstream_unavailable"],
  ])("%s", (_name, events, expected) => {
    expect(outcome(...events)).toBe(expected);
  });

  test("not JSON", () => {
    expect(interpret([Buffer.from("data: this is not {JSON\n\n")]).error).toMatchObject({
      code: "upstream_protocol",
    });
  });

  test("Kimi's own sentence is passed on, unless hubs would take it for a dead channel", () => {
    const message = (sentence: string) => String(interpret([bytes(error("x.y", sentence))]).error);
    expect(message("月亮遮住了太阳")).toMatch(/Kimi says: “月亮遮住了太阳”$/);
    expect(message("Your credit balance is empty")).not.toMatch(/credit/);
  });
});

test("a cut answer goes on at the id of its question, else of the answer", () => {
  expect(interpret([bytes(req, resp, hi, length)]).unfinished).toBe("s0");
  expect(interpret([bytes(resp, hi, length)]).unfinished).toBe("s1");
  expect(interpret([bytes(hi, length)]).unfinished).toBeUndefined();
});

test("several streams of one answer join, and each source counts once", () => {
  const interpreter = new AnswerInterpreter(new Drift());
  const events: ChatEvent[] = [];
  const hit = { event: "search_plus", msg: { type: "get_res", title: "A", url: "https://a.example" } };
  const read = (...all: unknown[]) => {
    for (const each of all) interpreter.read(JSON.stringify(each), events);
  };
  read(req, hit, cmpl("Hal"), length, allDone);
  expect([interpreter.ended, interpreter.unfinished]).toEqual([true, "s0"]);
  interpreter.goOn();
  read(resp, hit, cmpl("lo"), done, allDone);
  expect([interpreter.unfinished, interpreter.finishReason()]).toEqual([undefined, "stop"]);
  expect(events.map(({ type }) => type)).toEqual(["source", "text", "text"]);
});

test("half a character at the end of a delta is dropped; one in the middle is the answer's own", () => {
  const { events } = interpret([bytes(cmpl("天\ufffd"), cmpl("天\ufffd气"), cmpl("\ufffd"), allDone)]);
  expect(events.slice(0, -1)).toEqual([
    { type: "text", text: "天" },
    { type: "text", text: "天\ufffd气" },
  ]);
});

test("unknown events are counted by name and change nothing; known ones without meaning are not", () => {
  const strangers = [
    { event: "rename", name: "x" },
    { event: "k1", text: "Hm" },
    { event: "search_plus", msg: { type: "answer" } },
    { event: "a b" },
    { nothing: true },
  ];
  const silent = [{ event: "ping" }, { event: "debug", message: { need2search: true } }];
  const { events, drift } = interpret([bytes(req, ...strangers, ...silent, hi, done, allDone)]);
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

test("any bytes at all give events or a GatewayError, never anything else", () => {
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
    fc.json({ maxDepth: 4 }).map((json) => bytes(JSON.parse(json))),
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
      const { error: thrown } = interpret([bytes(req, resp), ...chunks]);
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
