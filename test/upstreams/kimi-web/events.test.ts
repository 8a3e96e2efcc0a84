import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatEvent } from "../../../src/core/types.js";
import { ProtocolDrift } from "../../../src/observability/protocol-drift.js";
import type { SentTurn } from "../../../src/upstreams/kimi-web/echo.js";
import { EnvelopeDecoder } from "../../../src/upstreams/kimi-web/envelope.js";
import { ChatInterpreter } from "../../../src/upstreams/kimi-web/events.js";
import { jsonEnvelope, transcriptBytes } from "../../fixtures/kimi-web.js";

type Outcome = { events: ChatEvent[]; error: unknown; drift: string[] };

/** The outcome of a stream, split into the given chunks; `stream: false` for a client that gets the answer whole. */
function interpret(chunks: Buffer[], continued?: SentTurn, stream = true): Outcome {
  const drift = new ProtocolDrift();
  const interpreter = new ChatInterpreter(drift, { continued, stream });
  const decoder = new EnvelopeDecoder(1_000_000);
  const events: ChatEvent[] = [];
  let error: unknown;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let envelope = decoder.next(); envelope; envelope = decoder.next())
        interpreter.interpret(envelope, events);
    }
  } catch (thrown) {
    error = thrown;
  }
  return { events, error, drift: drift.entries().map(({ kind, name }) => `${kind} ${name}`) };
}

function joinText(events: readonly ChatEvent[], type: "text" | "reasoning"): string {
  return events.map((event) => (event.type === type ? event.text : "")).join("");
}

const chatOpened = { type: "chat-opened", chat: "1a9f3c40-a112-8101-8000-09d0c0ffee01" };
const chat = jsonEnvelope({ op: "set", mask: "chat", chat: { id: "c" } });
const assistant = jsonEnvelope({
  op: "set",
  mask: "message",
  message: { id: "m", role: "assistant", status: "MESSAGE_STATUS_GENERATING" },
});
const done = jsonEnvelope({ done: {} });
const end = jsonEnvelope({}, 2);

function block(op: string, id: string, content: object): Buffer {
  return jsonEnvelope({ op, mask: "block", block: { id, parentId: "", ...content } });
}
const text = (op: string, content: string, id = "1") => block(op, id, { text: { content } });
function status(name: string): Buffer {
  return jsonEnvelope({
    op: "set",
    mask: "message.status",
    message: { id: "m", status: `MESSAGE_STATUS_${name}` },
  });
}

/** What the transcript of kimi-web.md §5.4 continues. */
const continuedTurn: SentTurn = {
  chat: "1a9f3c40-a112-8101-8000-09d0c0ffee01",
  parent: "1a9f3c40-a112-8103-8000-0ad0c0ffee03",
  text: "Shorter",
};

describe("the echo of a turn that continues a chat", () => {
  const interpretAfter = (sent: Partial<SentTurn>) =>
    interpret([transcriptBytes("continue")], { ...continuedTurn, ...sent });

  test.each([
    ["another chat", { chat: "1a9f3c40-a112-8101-8000-09d0c0ffee09" }],
    ["another parent", { parent: "1a9f3c40-a112-8103-8000-0ad0c0ffee09" }],
  ])("that names %s fails the answer before anything of it is emitted", (_what, sent) => {
    const { events, error } = interpretAfter(sent);
    expect(error).toMatchObject({ code: "upstream_protocol", upstreamCode: "wrong_place" });
    expect(events).toEqual([]);
  });

  test("whose text differs is protocol drift, and the answer is complete", () => {
    const { events, error, drift } = interpretAfter({ text: "Shorter, please" });
    expect(error).toBeUndefined();
    expect(drift).toEqual(["echo text"]);
    expect(joinText(events, "text")).toBe("Hi");
  });

  test("without a parent is protocol drift", () => {
    const message = { id: "u", role: "user", blocks: [{ text: { content: "Shorter" } }] };
    const echo = jsonEnvelope({ op: "set", mask: "message", message });
    const { error, drift } = interpret([echo, assistant, text("set", "Hi"), done, end], continuedTurn);
    expect(error).toBeUndefined();
    expect(drift).toEqual(["echo parent"]);
  });
});

describe("the transcripts of kimi-web.md §5", () => {
  test("5.1 a plain answer", () => {
    const { events, error, drift } = interpret([transcriptBytes("plain")]);
    expect(events).toEqual([
      { ...chatOpened, message: "1a9f3c40-a112-8103-8000-0ad0c0ffee03" },
      { type: "text", text: "Hi" },
      { type: "text", text: " there" },
      { type: "text", text: "!" },
      { type: "finish", reason: "stop" },
    ]);
    expect(error).toBeUndefined();
    expect(drift).toEqual([]);
  });

  test("5.2 thinking before the answer and separate from it", () => {
    const { events, drift } = interpret([transcriptBytes("thinking")]);
    expect(events.slice(1)).toEqual([
      { type: "reasoning", text: "Simple" },
      { type: "reasoning", text: " sum." },
      { type: "text", text: "4" },
      { type: "finish", reason: "stop" },
    ]);
    expect(drift).toEqual([]);
  });

  test("5.3 a search: its query, each source once, and the citation separate from the text", () => {
    const { events, drift } = interpret([transcriptBytes("search")]);
    expect(events.slice(1)).toEqual([
      { type: "search", queries: ["kimi k3"] },
      {
        type: "source",
        source: {
          index: 1,
          url: "https://example.org/k3",
          title: "Example page",
          snippet: "About K3",
          site: "example.org",
          published: "2026-11-01T00:00:00Z",
        },
      },
      { type: "text", text: "K3 is a model " },
      { type: "citation", sources: [1] },
      { type: "text", text: "." },
      { type: "finish", reason: "stop" },
    ]);
    expect(drift).toEqual([]);
  });

  test("5.4 a continued chat: its id comes with the first event", () => {
    const { events, drift } = interpret([transcriptBytes("continue")], continuedTurn);
    expect(drift).toEqual([]);
    expect(events[0]).toEqual({ ...chatOpened, message: "1a9f3c55-b772-8211-8000-0ad0c0ffee05" });
    expect(joinText(events, "text")).toBe("Hi");
  });

  test("5.5 an expired token", () => {
    const { events, error } = interpret([transcriptBytes("expired")]);
    expect(events).toEqual([]);
    expect(error).toMatchObject({
      code: "account_login_required",
      status: 424,
      upstreamCode: "INVALID_AUTH_TOKEN",
    });
  });

  test("5.6 an overload after `done`", () => {
    const { events, error } = interpret([transcriptBytes("overload")]);
    expect(events).toEqual([]);
    expect(error).toMatchObject({
      code: "upstream_overloaded",
      status: 503,
      retryAfterSeconds: 30,
      upstreamCode: "SERVER_OVERLOADED_FOR_FREE_USER",
    });
  });

  test("5.7 moderation retracts the answer", () => {
    const { events, error } = interpret([transcriptBytes("moderation")]);
    expect(events.slice(1).map((event) => event.type)).toEqual([
      "text",
      "text",
      "notice",
      "retract",
      "finish",
    ]);
    expect(events.at(-1)).toEqual({ type: "finish", reason: "content-filter" });
    expect(error).toBeUndefined();
  });

  test("5.8 an image", () => {
    const { events, drift } = interpret([transcriptBytes("image")]);
    expect(joinText(events, "text")).toBe("A screenshot.");
    expect(drift).toEqual([]);
  });
});

test("gives the same events for each transcript split at every byte", () => {
  for (const name of ["plain", "thinking", "search", "overload", "moderation", "image"]) {
    const bytes = transcriptBytes(name);
    const whole = interpret([bytes]);
    for (let at = 1; at < bytes.length; at++) {
      const halves = interpret([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(halves.events).toEqual(whole.events);
      expect(String(halves.error)).toBe(String(whole.error));
    }
  }
});

const difficultText =
  '天空为什么不是红色？👨‍👩‍👧‍👦 "quotes" \\ back\\slash \n\t \u0000 \u2028 \u0085 é e\u0301 🌙';

test("gives the same text for every split of a stream with Chinese, emoji, escapes and NUL", () => {
  const deltas = [...difficultText].map((character, at) => text(at === 0 ? "set" : "append", character));
  const bytes = Buffer.concat([chat, assistant, ...deltas, status("COMPLETED"), done, end]);
  for (let at = 1; at < bytes.length; at++) {
    expect(joinText(interpret([bytes.subarray(0, at), bytes.subarray(at)]).events, "text")).toBe(
      difficultText,
    );
  }
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 60 }), (cuts) => {
      const at = [0, ...cuts, bytes.length].sort((a, b) => a - b);
      const chunks = at.slice(1).map((stop, index) => bytes.subarray(at[index], stop));
      expect(joinText(interpret(chunks).events, "text")).toBe(difficultText);
    }),
    { numRuns: 300 },
  );
});

describe("set and append by block id", () => {
  const interpretAnswer = (...envelopes: Buffer[]) =>
    interpret([chat, assistant, ...envelopes, status("COMPLETED"), done, end]);

  test("growing snapshots emit only new text", () => {
    const { events } = interpretAnswer(
      text("set", ""),
      text("set", "Hel"),
      text("set", "Hello"),
      text("set", "Hello"),
    );
    expect(events.filter((event) => event.type === "text").map((event) => event.text)).toEqual(["Hel", "lo"]);
  });

  test("a snapshot extends appended text; one with another beginning is a rewrite", () => {
    const pieces = [text("set", "Hel"), text("append", "lo"), text("append", " wor")];
    expect(joinText(interpretAnswer(...pieces, text("set", "Hello world")).events, "text")).toBe(
      "Hello world",
    );
    for (const other of ["Hallo world", "hello world", "Hello xor!", "Hello wo"]) {
      const rewritten = [...pieces, text("set", other)];
      expect(joinText(interpretAnswer(...rewritten).events, "text"), other).toBe(other);
    }
  });

  const rewritten = [text("set", "Wrong start"), text("set", "Right answer"), text("append", " indeed.")];

  test("a replaced block of which nothing was sent on has only its new text", () => {
    const interpreted = interpretAnswer(text("set", "Before", "0"), ...rewritten);
    expect(joinText(interpreted.events, "text")).toBe("Before\n\nRight answer indeed.");
    expect(interpreted.drift).toEqual(["rewrite text"]);
    const first = interpretAnswer(...rewritten);
    expect(joinText(first.events, "text")).toBe("Right answer indeed.");
  });

  test("a replaced block that was sent on is an error, and its new text is not mixed into it", () => {
    const out: ChatEvent[][] = [];
    const interpreter = new ChatInterpreter(new ProtocolDrift(), { stream: true });
    const decoder = new EnvelopeDecoder(1_000_000);
    const interpretBatches = () => {
      for (const envelope of [chat, assistant, ...rewritten]) {
        const batch: ChatEvent[] = [];
        decoder.push(envelope);
        for (let next = decoder.next(); next; next = decoder.next()) interpreter.interpret(next, batch);
        out.push(batch);
      }
    };
    expect(interpretBatches).toThrow(/replaced a part of its answer/);
    expect(joinText(out.flat(), "text")).toBe("Wrong start");
  });

  test("an answer that is given whole is what Kimi holds in the end, with all blocks in their places", () => {
    const pieces = [block("set", "0", { think: { content: "Hm" } }), ...rewritten, text("set", "Last", "2")];
    const replaced = [block("set", "0", { think: { content: "Ah" } }), text("set", "First.")];
    const ending = [status("COMPLETED"), done, end];
    const { events, error } = interpret(
      [chat, assistant, ...pieces, ...replaced, ...ending],
      undefined,
      false,
    );
    expect(error).toBeUndefined();
    expect(joinText(events, "reasoning")).toBe("Ah");
    expect(joinText(events, "text")).toBe("First.\n\nLast");
  });

  test("a rewritten thought that was sent on stays, and no turn continues after such an answer", () => {
    const think = (op: string, content: string) => block(op, "1", { think: { content } });
    const drift = new ProtocolDrift();
    const interpreter = new ChatInterpreter(drift, { stream: true });
    const decoder = new EnvelopeDecoder(1_000_000);
    const events: ChatEvent[] = [];
    for (const envelope of [
      chat,
      assistant,
      think("set", "One"),
      think("set", "Two"),
      text("set", "Hi", "2"),
      done,
      end,
    ]) {
      const batch: ChatEvent[] = [];
      decoder.push(envelope);
      for (let next = decoder.next(); next; next = decoder.next()) interpreter.interpret(next, batch);
      events.push(...batch);
    }
    expect(joinText(events, "reasoning")).toBe("One");
    expect(events).toContainEqual(expect.objectContaining({ type: "notice", code: "reasoning_rewritten" }));
    expect(events.at(-1)).toEqual({ type: "finish", reason: "stop", isInexact: true });
  });

  test("two text blocks are two paragraphs", () => {
    const { events } = interpretAnswer(
      text("set", "One", "1"),
      text("set", "Two", "3"),
      text("append", "!", "3"),
    );
    expect(joinText(events, "text")).toBe("One\n\nTwo!");
  });

  test("the user's own message is never taken for the answer", () => {
    const echo = jsonEnvelope({
      op: "set",
      mask: "message",
      message: {
        id: "u",
        role: "user",
        status: "MESSAGE_STATUS_COMPLETED",
        blocks: [{ text: { content: "mine" } }],
      },
    });
    expect(joinText(interpretAnswer(echo, text("set", "yours")).events, "text")).toBe("yours");
  });

  test("unknown blocks, containers, operations and statuses are recorded as drift and ignored", () => {
    const { events, drift } = interpretAnswer(
      text("set", "Hi"),
      block("set", "2", { hologram: { x: 1 } }),
      jsonEnvelope({ op: "set", mask: "weather", weather: { sunny: true } }),
      jsonEnvelope({ op: "merge", mask: "chat.name", chat: { name: "x" } }),
      jsonEnvelope({ op: "set", notification: { type: "TYPE_PARTY", message: "Hooray" } }),
      status("PONDERING"),
    );
    expect(joinText(events, "text")).toBe("Hi");
    expect(events.at(-1)).toEqual({ type: "finish", reason: "stop" });
    expect(drift.sort()).toEqual([
      "block hologram",
      "container weather",
      "notification PARTY",
      "op merge",
      "status PONDERING",
    ]);
  });
});

describe("the ending of an answer", () => {
  const exception = (reason: string, severity: string) =>
    block("set", "9", {
      exception: { error: { reason: `REASON_${reason}`, severity: `SEVERITY_${severity}` } },
    });
  const outcome = (...envelopes: Buffer[]) => {
    const { events, error } = interpret([chat, assistant, ...envelopes]);
    const last = events.at(-1);
    return error instanceof Error && "code" in error
      ? error.code
      : last?.type === "finish"
        ? last.reason
        : "none";
  };
  const hi = text("set", "Hi");

  test.each([
    ["complete", [hi, status("COMPLETED"), done, end], "stop"],
    ["complete without `done`", [hi, status("COMPLETED"), end], "stop"],
    ["cut to length", [hi, status("TRUNCATED"), done, end], "length"],
    ["neither complete nor done", [hi, end], "upstream_cut"],
    ["stopped on Kimi's side", [hi, status("CANCELLED"), done, end], "upstream_cut"],
    ["failed without a reason", [hi, status("ERROR"), done, end], "upstream_unavailable"],
    ["empty", [status("COMPLETED"), done, end], "upstream_protocol"],
    [
      "only thinking",
      [block("set", "1", { think: { content: "Hm" } }), status("COMPLETED"), done, end],
      "stop",
    ],
    ["no trailer", [hi, status("COMPLETED"), done], "none"],
    ["overloaded", [exception("COMPLETION_OVERLOADED", "BLOCK_RETRACT"), done, end], "upstream_overloaded"],
    ["too long", [exception("TOKEN_LENGTH_TOO_LONG", "BLOCK_RETRACT"), done, end], "context_length_exceeded"],
    ["quota", [exception("K2_USAGE_EXCEEDED", "BLOCK_RETRACT"), done, end], "quota_exceeded"],
    ["rate", [exception("REQUEST_RATE_EXCEEDED", "BLOCK_RETRACT"), done, end], "rate_limited"],
    ["file", [exception("INCONSISTENT_FILE_TYPE", "BLOCK_RETRACT"), done, end], "file_rejected"],
    [
      "filtered before the first delta",
      [exception("CONTENT_FILTER", "MESSAGE_RETRACT"), done, end],
      "content_filter",
    ],
    [
      "filtered after a delta",
      [hi, exception("CONTENT_FILTER", "MESSAGE_RETRACT"), done, end],
      "content-filter",
    ],
    [
      "a failure after a delta",
      [hi, exception("LLM_UNAVAILABLE", "BLOCK_RETRACT"), done, end],
      "upstream_overloaded",
    ],
    [
      "an exception of severity INFO",
      [hi, exception("REQUEST_ERROR", "INFO"), status("COMPLETED"), done, end],
      "stop",
    ],
    [
      "failed after a reason of severity INFO",
      [hi, exception("TOKEN_LENGTH_TOO_LONG", "INFO"), status("ERROR"), done, end],
      "context_length_exceeded",
    ],
    [
      "failed after a reason of a severity that is not known",
      [exception("TOKEN_LENGTH_TOO_LONG", "NEW"), status("ERROR"), done, end],
      "context_length_exceeded",
    ],
    [
      "failed after two reasons: the last one counts",
      [
        exception("REQUEST_ERROR", "BLOCK_RETRACT"),
        exception("K2_USAGE_EXCEEDED", "INFO"),
        status("ERROR"),
        end,
      ],
      "quota_exceeded",
    ],
    [
      "failed after a known and an unknown reason: the known one counts",
      [exception("TOKEN_LENGTH_TOO_LONG", "INFO"), exception("MOON_ECLIPSE", "INFO"), status("ERROR"), end],
      "context_length_exceeded",
    ],
    [
      "empty, with a reason of severity INFO",
      [exception("TOKEN_LENGTH_TOO_LONG", "INFO"), status("COMPLETED"), done, end],
      "context_length_exceeded",
    ],
    [
      "a trailer without a reason, after a reason of severity INFO",
      [exception("TOKEN_LENGTH_TOO_LONG", "INFO"), jsonEnvelope({ error: { code: "internal" } }, 2)],
      "context_length_exceeded",
    ],
    [
      "a refused login in the trailer, after a reason of severity INFO",
      [exception("REQUEST_ERROR", "INFO"), jsonEnvelope({ error: { code: "unauthenticated" } }, 2)],
      "account_login_required",
    ],
    [
      "an unknown reason",
      [hi, exception("MOON_ECLIPSE", "BLOCK_RETRACT"), done, end],
      "upstream_unavailable",
    ],
    [
      "an error after `done`",
      [hi, status("COMPLETED"), done, jsonEnvelope({ error: { code: "unavailable" } }, 2)],
      "upstream_overloaded",
    ],
    ["not JSON", [hi, Buffer.from([0, 0, 0, 0, 3, 0x61, 0x62, 0x63])], "upstream_protocol"],
  ])("%s", (_name, envelopes, expected) => {
    expect(outcome(...envelopes)).toBe(expected);
  });

  test("an exception of severity INFO is a notice only of an answer that does not fail", () => {
    const info = exception("REQUEST_ERROR", "INFO");
    const notices = (last: string) =>
      interpret([chat, assistant, hi, info, status(last), done, end]).events.filter(
        ({ type }) => type === "notice",
      );
    expect(notices("COMPLETED")).toMatchObject([{ code: "REQUEST_ERROR" }]);
    expect(notices("ERROR")).toEqual([]);
  });

  test("a paywall is a used-up quota, whatever the reason", () => {
    const debug = { reason: "REASON_SERVER_OVERLOADED_FOR_FREE_USER", paywall: { needUpgrade: true } };
    const error = { code: "resource_exhausted", details: [{ debug }] };
    expect(outcome(jsonEnvelope({ error }, 2))).toBe("quota_exceeded");
  });

  test("a debug object directly under the error is parsed", () => {
    const error = { code: "resource_exhausted", debug: { reason: "REASON_RATE_LIMIT_EXCEEDED" } };
    expect(outcome(jsonEnvelope({ error }, 2))).toBe("rate_limited");
  });
});

test("gives events or a GatewayError for any bytes", () => {
  const anyEnvelope = fc.oneof(
    fc.json({ maxDepth: 4 }).map((json) => jsonEnvelope(JSON.parse(json))),
    fc
      .record({ op: fc.constantFrom("set", "append", "x", 1, null), mask: fc.string(), block: fc.anything() })
      .map(jsonEnvelope),
    fc
      .record({ message: fc.object({ maxDepth: 3 }), chat: fc.anything(), op: fc.string() })
      .map((value) => jsonEnvelope(value)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(anyEnvelope, { maxLength: 8 }), (envelopes) => {
      const { error } = interpret([Buffer.concat([chat, assistant, ...envelopes, end])]);
      if (error !== undefined) expect(error).toMatchObject({ name: "GatewayError" });
    }),
    { numRuns: 5_000 },
  );
});

describe("an answer that grows without end", () => {
  const tool = (op: string, id: string, args: string, name = "web_search") =>
    block(op, id, { tool: { name, args } });

  test("in tool calls with ever new ids is an error", () => {
    const calls = Array.from({ length: 10_001 }, (_, index) => tool("set", `t${index}`, "{}", "code"));
    const { error } = interpret([chat, assistant, ...calls]);
    expect(error).toMatchObject({ code: "upstream_protocol", message: expect.stringMatching(/tool calls/) });
  });

  test("in text blocks with ever new ids is an error", () => {
    const blocks = Array.from({ length: 10_001 }, (_, index) => text("append", "a", `b${index}`));
    const { error } = interpret([chat, assistant, ...blocks]);
    expect(error).toMatchObject({ code: "upstream_protocol", message: expect.stringMatching(/blocks/) });
  });

  test("in the arguments of one search, in small pieces, takes time proportional to its bytes", () => {
    const queries = "x".repeat(100);
    const pieces = Array.from({ length: 40_000 }, () => tool("append", "t", `"${queries}",`));
    const startedAt = performance.now();
    const { error, events } = interpret([
      chat,
      assistant,
      tool("append", "t", '{"queries":['),
      ...pieces,
      text("append", "hi"),
      done,
      end,
    ]);
    expect(error).toBeUndefined();
    expect(joinText(events, "text")).toBe("hi");
    // Parsing the arguments so far with each piece took minutes.
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });
});
