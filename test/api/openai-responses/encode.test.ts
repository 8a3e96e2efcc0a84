import { describe, expect, test } from "vitest";
import { ResponseStreamEncoder } from "../../../src/api/openai-responses/encode.js";
import { AnswerItems, type AnswerItemsOptions } from "../../../src/api/openai-responses/output-items.js";
import { ResponseMetadata } from "../../../src/api/openai-responses/response-object.js";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent } from "../../../src/core/types.js";
import { parseEvents, textOfEvents } from "./event-stream.js";

const id = "resp_0123456789abcdef0123456789abcdef";
const start: ChatEvent = {
  type: "start",
  upstream: "me",
  model: "kimi",
  simulated: false,
  citations: "inline",
  ignored: [],
};
const finish: ChatEvent = { type: "finish", reason: "stop" };
const source = (index: number): ChatEvent => ({
  type: "source",
  source: { index, url: `https://example.org/${index}`, title: `Page ${index}` },
});

function createEncoder(options: Partial<AnswerItemsOptions> = {}) {
  const items = new AnswerItems({
    responseId: id,
    tools: new Map(),
    showsSearches: true,
    showsSources: false,
    sealReasoning: undefined,
    ...options,
  });
  const metadata = new ResponseMetadata(id, { model: "kimi" });
  return new ResponseStreamEncoder({ metadata, items, showsSearches: options.showsSearches ?? true });
}

function encodeAll(batches: readonly (readonly ChatEvent[])[], options: Partial<AnswerItemsOptions> = {}) {
  const encoder = createEncoder(options);
  return parseEvents(batches.map((events) => encoder.encode(events)).join(""));
}

describe("the encoder of response events", () => {
  test("writes nothing before there is content, so that an error keeps its HTTP status", () => {
    const encoder = createEncoder();
    expect(encoder.encode([start, { type: "conversation", id: "c" }])).toBe("");
    expect(encoder.start).toEqual(start);
  });

  test("a keep-alive begins the stream, and later is an event of its own", () => {
    const encoder = createEncoder();
    const silence = encoder.encodeKeepAlive() + encoder.encodeKeepAlive();
    const events = parseEvents(silence + encoder.encode([start, { type: "text", text: "a" }, finish]));
    expect(events.slice(0, 4).map(({ type }) => type)).toEqual([
      "response.created",
      "response.in_progress",
      "keepalive",
      "response.output_item.added",
    ]);
    expect(events[2]).toEqual({ type: "keepalive", sequence_number: 2 });
  });

  test("long texts and arguments come in deltas below 60,000 bytes", () => {
    const text = "\u0007月🌙".repeat(40_000);
    const call: ChatEvent = { type: "tool-call", index: 0, id: "c", name: "f", arguments: `"${text}"` };
    const events = encodeAll([[start, { type: "reasoning", text }, { type: "text", text }, call, finish]]);
    expect(textOfEvents(events)).toBe(text);
    const types = ["reasoning_summary_text", "output_text", "function_call_arguments"];
    for (const type of types)
      expect(events.filter((event) => event.type === `response.${type}.delta`).length).toBeGreaterThan(10);
  });

  test("citations have offsets in their own text, also where the answer has several", () => {
    const events = encodeAll([
      [
        start,
        { type: "text", text: "First I look. " },
        { type: "search", queries: ["moon"] },
        source(1),
        { type: "text", text: "The moon is far." },
        { type: "citation", sources: [1] },
        { type: "text", text: " It is round." },
        { type: "citation", sources: [2] },
        source(2),
        finish,
      ],
    ]);
    const items = events.flatMap(({ type, item }) =>
      type === "response.output_item.done" ? [Object(item)] : [],
    );
    expect(items.map(({ type }) => type)).toEqual([
      "message",
      "web_search_call",
      "message",
      "web_search_call",
    ]);
    expect(items[0].content[0].annotations).toEqual([]);
    const [{ text, annotations }] = items[2].content;
    const cited = annotations.map((each: Record<string, number>) =>
      text.slice(each.start_index, each.end_index),
    );
    expect(cited).toEqual(["The moon is far.", "It is round."]);
    expect(annotations.map(({ url }: { url: string }) => url)).toEqual([
      "https://example.org/1",
      "https://example.org/2",
    ]);
  });

  test("searches of a client that offers none are no items, and do not split the text", () => {
    const batch: ChatEvent[] = [
      start,
      { type: "text", text: "I look. " },
      { type: "search", queries: ["moon"] },
      source(1),
      { type: "text", text: "It is far." },
      finish,
    ];
    const events = encodeAll([batch], { showsSearches: false });
    const end = Object(events.at(-1)?.response);
    expect(end.output.map(({ type }: { type: string }) => type)).toEqual(["message"]);
    expect(end.moonbridge_searches).toEqual(["moon"]);
  });

  test("a failure in the middle is the one end, with the items that are whole", () => {
    const encoder = createEncoder();
    const begun = encoder.encode([start, { type: "reasoning", text: "Hm." }, { type: "text", text: "a" }]);
    const error = new GatewayError("upstream_cut", "The stream was cut.");
    const events = parseEvents(begun + encoder.encodeError(error));
    const details = { code: "upstream_cut", message: "The stream was cut.", param: null };
    expect(events.at(-2)).toMatchObject({ type: "error", ...details, error: details });
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      response: {
        status: "failed",
        error: { code: "server_error", message: "The stream was cut." },
        output: [{ type: "reasoning" }],
        // It is not kept: its id names nothing.
        store: false,
      },
    });
  });

  test("a call without arguments has an empty object, and an empty answer an empty message", () => {
    const call: ChatEvent = { type: "tool-call", index: 0, id: "c", name: "f", arguments: "" };
    const [called] = Object(encodeAll([[start, call, finish]]).at(-1)?.response).output;
    expect(called).toMatchObject({ type: "function_call", call_id: "c", name: "f", arguments: "{}" });
    const [empty] = Object(encodeAll([[start, finish]]).at(-1)?.response).output;
    expect(empty).toMatchObject({ type: "message", content: [{ type: "output_text", text: "" }] });
  });

  test("a custom tool gets the text inside the arguments, or what the model wrote instead of JSON", () => {
    const tools = new Map([["patch", { kind: "custom" as const, name: "patch" }]]);
    const inputOf = (args: string) => {
      const call: ChatEvent = { type: "tool-call", index: 0, id: "c", name: "patch", arguments: args };
      return Object(encodeAll([[start, call, finish]], { tools }).at(-1)?.response).output[0].input;
    };
    expect(inputOf('{"input":"a\\nb"}')).toBe("a\nb");
    expect(inputOf('{"patch":"a"}')).toBe("a");
    expect(inputOf("*** Begin Patch")).toBe("*** Begin Patch");
  });
});
