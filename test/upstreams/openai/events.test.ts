import fc from "fast-check";
import { expect, test } from "vitest";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent, Model } from "../../../src/core/types.js";
import { isObject } from "../../../src/lib/json.js";
import { SseDecoder } from "../../../src/upstreams/http/sse-decoder.js";
import { CompletionInterpreter } from "../../../src/upstreams/openai/events.js";
import { parseModels } from "../../../src/upstreams/openai/models.js";
import { ignoresParameter, moonshotBody } from "../../../src/upstreams/openai/moonshot.js";
import { helloStream } from "../../fixtures/moonshot.js";

const service = { service: "It", upstream: "x", apiKey: "CANARY" };

/** JSON in the shape of a chunk with arbitrary values. */
const anything = fc.jsonValue({ maxDepth: 4 });
const delta = fc.record(
  {
    content: anything,
    reasoning_content: anything,
    tool_calls: fc.array(fc.record({ index: anything, function: anything })),
  },
  { requiredKeys: [] },
);
const choice = fc.record(
  { delta: fc.oneof(delta, anything), message: delta, finish_reason: anything, usage: anything },
  { requiredKeys: [] },
);
const chunk = fc.record(
  {
    choices: fc.oneof(fc.array(fc.oneof(choice, anything)), anything),
    usage: anything,
    error: anything,
    object: anything,
  },
  { requiredKeys: [] },
);

/** Passes if `read` returns or throws a GatewayError. */
function expectOnlyGatewayErrors(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
  }
}

test("gives events or a GatewayError for any data of a service, with at most one finish", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(chunk, anything), { maxLength: 6 }), fc.boolean(), (chunks, verbatim) => {
      const interpreter = new CompletionInterpreter(service, verbatim);
      const events: ChatEvent[] = [];
      for (const each of [...chunks.map((value) => JSON.stringify(value)), "[DONE]"]) {
        expectOnlyGatewayErrors(() => interpreter.interpret(each, events));
      }
      expect(events.filter(({ type }) => type === "finish").length).toBe(interpreter.isComplete ? 1 : 0);
      if (interpreter.isComplete) expect(events.at(-1)?.type).toBe("finish");
      for (const each of chunks) {
        if (!isObject(each)) continue;
        expectOnlyGatewayErrors(() =>
          new CompletionInterpreter(service, verbatim).interpretWhole(each, "{}"),
        );
        parseModels({ data: [each] }, { preset: "moonshot", defaultModel: undefined, models: undefined });
      }
    }),
    { numRuns: 1_000 },
  );
});

test("decodes the same events however the bytes are split", () => {
  const bytes = Buffer.from(helloStream.join(": comment\n\n"));
  const expected = helloStream.map((line) => line.slice("data: ".length, -2));
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (cuts) => {
      const decoder = new SseDecoder(10_000, "It");
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const decoded = places.flatMap((place, at) => {
        decoder.push(bytes.subarray(place, places[at + 1] ?? place));
        const data: string[] = [];
        for (let next = decoder.next(); next !== undefined; next = decoder.next()) data.push(next);
        return data;
      });
      expect(decoded).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

test("converts any request of a client to Moonshot's form", () => {
  const models: Model[] = parseModels(
    { data: ["kimi-k3", "kimi-k2.6", "kimi-k2.7-code", "moonshot-v1-8k"].map((id) => ({ id })) },
    { preset: "moonshot", defaultModel: undefined, models: undefined },
  );
  const message = fc.record(
    {
      role: anything,
      content: anything,
      tool_calls: anything,
      reasoning: anything,
      reasoning_content: anything,
    },
    { requiredKeys: [] },
  );
  const names = [
    "temperature",
    "tools",
    "tool_choice",
    "response_format",
    "thinking",
    "max_tokens",
    "modalities",
  ];
  const body = fc.dictionary(fc.constantFrom(...names), anything);
  fc.assert(
    fc.property(
      body,
      fc.array(message),
      fc.constantFrom(...models),
      fc.boolean(),
      (more, messages, model, search) => {
        const settings = { model, thinking: model.thinking.at(-1), search };
        const sent = moonshotBody({ ...more, messages }, settings);
        expect(sent.messages).toHaveLength(messages.length);
        for (const [name, value] of Object.entries(more))
          expect(ignoresParameter({ name, value, feature: "unknown" }, settings)).toBeTypeOf("boolean");
      },
    ),
    { numRuns: 1_000 },
  );
});

/** The chunk of one piece of a tool call. */
function callChunk(index: number, piece: object): string {
  return JSON.stringify({ choices: [{ delta: { tool_calls: [{ index, function: piece }] } }] });
}

test("numbers tool calls from 0 in order of appearance, whatever the service's indexes are", () => {
  const interpreter = new CompletionInterpreter(service, false);
  const events: ChatEvent[] = [];
  interpreter.interpret(callChunk(4_000_000_000, { name: "a", arguments: "{" }), events);
  interpreter.interpret(callChunk(-1, { name: "b", arguments: "{}" }), events);
  interpreter.interpret(callChunk(4_000_000_000, { arguments: "}" }), events);
  expect(events).toMatchObject([
    { index: 0, name: "a", arguments: "{" },
    { index: 1, name: "b", arguments: "{}" },
    { index: 0, arguments: "}" },
  ]);
});

test("tool calls with ever new indexes are an error", () => {
  const interpreter = new CompletionInterpreter(service, false);
  expect(() => {
    for (let index = 0; index < 2_000; index++) interpreter.interpret(callChunk(index, { name: "a" }), []);
  }).toThrow(GatewayError);
});
