import { expect, test } from "vitest";
import { countTokens } from "../../../src/chat/token-count.js";
import { TokenMeter } from "../../../src/chat/token-meter.js";
import { AnswerRecorder } from "../../../src/chat/transforms/answer-recorder.js";
import { sendThrough } from "../../../src/chat/transforms/transform.js";
import { UsageReporter } from "../../../src/chat/transforms/usage-reporter.js";
import type { ChatEvent, ChatRequest, Message, UpstreamRequest } from "../../../src/core/types.js";

const messages: Message[] = [{ role: "user", content: [{ type: "text", text: "Why is the sky blue?" }] }];
const reported: ChatEvent = {
  type: "usage",
  usage: { input: 7, output: 3, reasoning: 1, cached: 2, estimated: false },
};
const answer: ChatEvent[][] = [
  [{ type: "chat-opened", chat: "c", message: "m" }],
  [{ type: "reasoning", text: "Hm." }],
  [{ type: "text", text: "Rayleigh" }],
  [
    { type: "text", text: " scattering." },
    { type: "finish", reason: "stop" },
  ],
];

/** What a client receives when these batches come from the upstream. */
async function receive(
  usage: ChatRequest["usage"],
  batches: readonly ChatEvent[][],
  sent: Partial<UpstreamRequest> = {},
): Promise<ChatEvent[]> {
  const received: ChatEvent[] = [];
  const recorder = new AnswerRecorder("off");
  const reporter = new UsageReporter({ messages, usage }, recorder, new TokenMeter());
  await sendThrough(
    [reporter, recorder],
    {
      chat: async (_request, sink) => {
        for (const batch of batches) await sink(batch);
      },
    },
    {
      request: { messages, ...sent } as UpstreamRequest,
      sink: (events) => {
        received.push(...events);
        return undefined;
      },
      signal: new AbortController().signal,
    },
  );
  return received;
}

const usagesOf = (events: ChatEvent[]) =>
  events.flatMap((event) => (event.type === "usage" ? [event.usage] : []));

test("without a wish for usage, not even the upstream's own reaches the client", async () => {
  const events = await receive("none", [[reported], ...answer]);
  expect(events).toEqual(answer.flat());
});

test("the final usage is the upstream's, right before the end", async () => {
  const events = await receive("final", [[reported], ...answer]);
  expect(events.at(-2)).toEqual(reported);
  expect(usagesOf(events)).toHaveLength(1);
});

test("without a report of the upstream the final usage is estimated from question and answer", async () => {
  const [usage] = usagesOf(await receive("final", answer));
  expect(usage).toMatchObject({ input: await countTokens(messages), cached: 0, estimated: true });
  expect(usage?.reasoning).toBeGreaterThan(0);
  expect(usage?.output).toBeGreaterThan(usage?.reasoning ?? 0);
});

test("an early usage names the input before the first content, and the final one follows", async () => {
  const events = await receive("early and final", [[reported], ...answer]);
  expect(events.map(({ type }) => type)).toEqual([
    "chat-opened",
    "usage",
    "reasoning",
    "text",
    "text",
    "usage",
    "finish",
  ]);
  expect(usagesOf(events)[0]).toMatchObject({
    input: await countTokens(messages),
    output: 0,
    estimated: true,
  });
  expect(events.at(-2)).toEqual(reported);
});

test("in a continued chat all but the new messages count as cached", async () => {
  const sent: Message[] = [{ role: "user", content: [{ type: "text", text: "Why?" }] }];
  const continueFrom = { chat: "c", parent: "p" };
  const [usage] = usagesOf(await receive("final", answer, { continueFrom, messages: sent }));
  expect(usage?.cached).toBe((await countTokens(messages)) - (await countTokens(sent)));
});
