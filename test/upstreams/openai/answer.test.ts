import fc from "fast-check";
import { expect, test } from "vitest";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent, Model } from "../../../src/core/types.js";
import { isObject } from "../../../src/lib/json.js";
import { EventDecoder } from "../../../src/upstreams/http/sse-decoder.js";
import { AnswerReader } from "../../../src/upstreams/openai/answer.js";
import { readModels } from "../../../src/upstreams/openai/catalogue.js";
import { leftOut, moonshotBody } from "../../../src/upstreams/openai/moonshot.js";
import { hello } from "../../fixtures/moonshot.js";

const service = { service: "It", upstream: "x", apiKey: "CANARY" };

/** JSON that looks like a chunk as long as nobody looks closely. */
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

/** Does it, or has a reason of ours not to. */
function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
  }
}

test("whatever a service sends is understood or is an error of ours, and ends once at most", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(chunk, anything), { maxLength: 6 }), fc.boolean(), (chunks, verbatim) => {
      const reader = new AnswerReader(service, verbatim);
      const events: ChatEvent[] = [];
      for (const each of [...chunks.map((value) => JSON.stringify(value)), "[DONE]"]) {
        attempt(() => reader.read(each, events));
      }
      expect(events.filter(({ type }) => type === "finish").length).toBe(reader.ended ? 1 : 0);
      if (reader.ended) expect(events.at(-1)?.type).toBe("finish");
      for (const each of chunks) {
        if (!isObject(each)) continue;
        attempt(() => new AnswerReader(service, verbatim).readWhole(each, "{}"));
        readModels({ data: [each] }, { preset: "moonshot", defaultModel: undefined, models: undefined });
      }
    }),
    { numRuns: 1_000 },
  );
});

test("the events of a stream do not depend on how its bytes are cut", () => {
  const bytes = Buffer.from(hello.join(": comment\n\n"));
  const expected = hello.map((line) => line.slice("data: ".length, -2));
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (cuts) => {
      const decoder = new EventDecoder(10_000, "It");
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const heard = places.flatMap((place, at) => {
        decoder.push(bytes.subarray(place, places[at + 1] ?? place));
        const data: string[] = [];
        for (let next = decoder.next(); next !== undefined; next = decoder.next()) data.push(next);
        return data;
      });
      expect(heard).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

test("whatever a client sends can be brought into Moonshot's form", () => {
  const models: Model[] = readModels(
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
        expect(leftOut({ ...more, messages }, settings).every((name) => names.includes(name))).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});
