import { expect, test } from "vitest";
import { MessageCollector } from "../../../src/api/anthropic-messages/collect.js";
import { MessageEncoder } from "../../../src/api/anthropic-messages/encode.js";
import { Seals } from "../../../src/api/anthropic-messages/seals.js";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent } from "../../../src/core/types.js";
import { TextSealer } from "../../../src/lib/text-sealer.js";
import { readMessageStream } from "./message-stream.js";

const seals = new Seals(new TextSealer("secret"));
const options = { seals, showsSearches: true, omitsThinking: false, model: "kimi", requestId: "req_1" };
const start: ChatEvent = {
  type: "start",
  upstream: "me",
  model: "kimi",
  simulated: false,
  citations: "annotations",
  ignored: [],
};
const usage = { input: 10, output: 7, reasoning: 2, cached: 4, estimated: true };
const early: ChatEvent = { type: "usage", usage: { ...usage, output: 0, reasoning: 0 } };
const source = { index: 1, url: "https://t.example", title: "T", snippet: "about" };

/** An answer with each kind of block. */
const answer: ChatEvent[] = [
  start,
  { type: "conversation", id: "c" },
  { type: "notice", code: "degraded", message: "Slower today." },
  early,
  { type: "reasoning", text: "hm" },
  { type: "search", queries: ["moon"] },
  { type: "source", source },
  { type: "text", text: "It is far" },
  { type: "citation", sources: [1] },
  { type: "text", text: "." },
  { type: "tool-call", index: 0, id: "call_1", name: "read", arguments: '{"a"' },
  { type: "tool-call", index: 0, arguments: ":1}" },
  { type: "usage", usage },
  { type: "finish", reason: "tool-calls" },
];

function streamed(events: readonly ChatEvent[], more = {}) {
  const encoder = new MessageEncoder({ ...options, ...more });
  return readMessageStream(encoder.encode(events));
}

function whole(events: readonly ChatEvent[], more = {}) {
  const collector = new MessageCollector({ ...options, ...more });
  collector.onEvents(events);
  return JSON.parse(collector.toJson());
}

test("a stream has each block with its deltas, the input's tokens first and all of them at the end", () => {
  const { message, blocks, end, names } = streamed(answer);
  expect(message).toMatchObject({
    content: [],
    stop_reason: null,
    conversation_id: "c",
    usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 0 },
  });
  expect(blocks.map(({ type, text, json, deltas }) => [type, text || json, deltas])).toEqual([
    ["thinking", "", ["thinking_delta", "signature_delta"]],
    ["server_tool_use", '{"query":"moon"}', ["input_json_delta"]],
    ["web_search_tool_result", "", []],
    ["text", "It is far.", ["text_delta", "text_delta", "citations_delta"]],
    ["tool_use", '{"a":1}', ["input_json_delta", "input_json_delta"]],
  ]);
  expect(end).toMatchObject({
    delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { input_tokens: 6, output_tokens: 7, server_tool_use: { web_search_requests: 1 } },
    moonbridge_notices: [{ code: "degraded", message: "Slower today." }],
  });
  expect([names[0], names.at(-2), names.at(-1)]).toEqual(["message_start", "message_delta", "message_stop"]);
});

test("a whole answer has the same content", () => {
  expect(whole(answer)).toMatchObject({
    type: "message",
    content: [
      { type: "thinking", thinking: "hm", signature: seals.signThinking("hm", { isOmitted: false }) },
      { type: "server_tool_use", input: { query: "moon" } },
      {
        type: "web_search_tool_result",
        content: [{ type: "web_search_result", title: "T", url: source.url }],
      },
      { type: "text", text: "It is far.", citations: [{ url: source.url, cited_text: "about" }] },
      { type: "tool_use", id: "call_1", name: "read", input: { a: 1 } },
    ],
    stop_reason: "tool_use",
    usage: { output_tokens: 7 },
  });
});

test("without the server's search tool there are no blocks of searches, and thinking may be omitted", () => {
  const { blocks, end } = streamed(answer, { showsSearches: false, omitsThinking: true });
  expect(blocks.map(({ type }) => type)).toEqual(["thinking", "text", "tool_use"]);
  expect(blocks[0]?.deltas).toEqual(["signature_delta"]);
  expect(end?.usage).not.toHaveProperty("server_tool_use");
});

test("nothing is written before there is content, and an empty answer is still a message", () => {
  const encoder = new MessageEncoder(options);
  expect(encoder.encode(answer.slice(0, 4))).toBe("");
  const { blocks, stopReason } = readMessageStream(encoder.encode([{ type: "finish", reason: "stop" }]));
  expect([blocks, stopReason]).toEqual([[], "end_turn"]);
});

test("a failure closes no message; its words stand in a block of text", () => {
  const encoder = new MessageEncoder(options);
  const begun = encoder.encode(answer.slice(0, -3));
  const error = encoder.encodeError(new GatewayError("upstream_cut", "It broke."));
  const { blocks, error: received } = readMessageStream(begun + encoder.encodeText("Sorry.") + error);
  expect(blocks.at(-1)).toMatchObject({ type: "text", text: "Sorry." });
  expect(received).toEqual({
    type: "error",
    error: { type: "api_error", message: "It broke." },
    request_id: "req_1",
  });
});

test("a failure while the request waits has no message at all", () => {
  const encoder = new MessageEncoder(options);
  expect(encoder.encodeKeepAlive()).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  const waiting = encoder.encodeKeepAlive() + encoder.encodeError(new GatewayError("timeout", "Too slow."));
  expect(readMessageStream(waiting)).toMatchObject({
    blocks: [],
    error: { error: { type: "timeout_error" } },
  });
});

test("no event is longer than readers take, whatever the texts and the results are", () => {
  const long = "月\u2028".repeat(100_000);
  const sources = Array.from({ length: 300 }, (_, index) => ({
    ...source,
    index,
    url: `${source.url}/${index}`,
    title: "T".repeat(900),
  }));
  const { blocks } = streamed([
    start,
    { type: "reasoning", text: long },
    { type: "search", queries: ["moon"] },
    ...sources.map((each): ChatEvent => ({ type: "source", source: each })),
    { type: "text", text: long },
    { type: "tool-call", index: 0, id: "1", name: "n", arguments: JSON.stringify({ a: long }) },
    { type: "finish", reason: "stop" },
  ]);
  expect(blocks.find(({ type }) => type === "text")?.text).toBe(long);
  expect(JSON.parse(blocks.at(-1)?.json ?? "")).toEqual({ a: long });
});

test("a prompt that is too long is refused in the words that Claude Code compacts by", () => {
  const encoder = new MessageEncoder(options);
  const tooLong = { tokens: 300_000, limit: 262_144 };
  const error = new GatewayError("context_length_exceeded", "Shorten it.", { tooLong });
  const { error: received } = readMessageStream(encoder.encodeError(error));
  expect(received).toMatchObject({
    error: { message: "prompt is too long: 300000 tokens > 262144 maximum. Shorten it." },
  });
});

test("arguments that are no JSON object fail instead of a wrong call", () => {
  const call: ChatEvent = { type: "tool-call", index: 0, id: "1", name: "n", arguments: "{" };
  expect(() => whole([start, call, { type: "finish", reason: "tool-calls" }])).toThrow(
    /arguments that are no JSON/,
  );
});
