import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countTextTokens } from "../../../src/chat/token-count.js";
import { AnswerLimiter } from "../../../src/chat/transforms/answer-limits.js";
import { sendThrough } from "../../../src/chat/transforms/transform.js";
import type { AnswerLimits, ChatEvent, UpstreamRequest } from "../../../src/core/types.js";
import { type KimiKind, startGateway, waitUntil } from "../../gateway.js";

type Received = { text: string; reasoning: string; end: ChatEvent | undefined; count: number };

/** What a client receives of these events, one batch each. */
async function receive(answerLimits: AnswerLimits, events: readonly ChatEvent[]): Promise<Received> {
  const received: ChatEvent[] = [];
  await sendThrough(
    [new AnswerLimiter(answerLimits)],
    {
      chat: async (_request, sink) => {
        for (const event of events) await sink([event]);
      },
    },
    {
      request: { messages: [] as unknown } as UpstreamRequest,
      sink: (batch) => {
        received.push(...batch);
        return undefined;
      },
      signal: new AbortController().signal,
    },
  );
  const join = (type: "text" | "reasoning") =>
    received.map((event) => (event.type === type ? event.text : "")).join("");
  return {
    text: join("text"),
    reasoning: join("reasoning"),
    end: received.at(-1),
    count: received.filter(({ type }) => type === "finish").length,
  };
}

const finish: ChatEvent = { type: "finish", reason: "stop" };
const texts = (pieces: readonly string[]): ChatEvent[] => pieces.map((text) => ({ type: "text", text }));

describe("stop", () => {
  test.each([
    ["in the middle", ["END"], "abc END def", "abc ", "END"],
    ["at the very end", ["END"], "abcEND", "abc", "END"],
    ["at the very beginning", ["a"], "abc", "", "a"],
    ["of several, the one that is complete first", ["bcd", "c"], "abcd", "ab", "c"],
    ["only begun at the end", ["END"], "abcEN", "abcEN", undefined],
    ["that overlaps itself", ["aab"], "aaab", "a", "aab"],
    ["not there", ["END"], "abc", "abc", undefined],
    ["of an emoji", ["👍"], "a👎👍b", "a👎", "👍"],
  ])("%s, however the text is divided", async (_, stop, text, expected, stopSequence) => {
    const cut = stopSequence === undefined ? {} : { stopSequence, isInexact: true };
    for (const pieces of [[text], [...text], text.split("")]) {
      const received = await receive({ stop }, [...texts(pieces), finish]);
      expect(received).toMatchObject({ text: expected, count: 1 });
      expect(received.end).toEqual({ type: "finish", reason: "stop", ...cut });
    }
  });

  test("the result is the same for every division", async () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(letters, { maxLength: 8 }), stops, async (pieces, stop) => {
        const divided = await receive({ stop }, [...texts(pieces), finish]);
        expect(divided).toEqual(await receive({ stop }, [...texts([pieces.join("")]), finish]));
        for (const each of stop) expect(divided.text).not.toContain(each);
      }),
      { numRuns: 300 },
    );
  });

  test("reasoning is not searched", async () => {
    const events: ChatEvent[] = [{ type: "reasoning", text: "END" }, ...texts(["a"]), finish];
    expect(await receive({ stop: ["END"] }, events)).toMatchObject({ reasoning: "END", text: "a" });
  });
});

describe("maxTokens", () => {
  const words = "The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸。 ".repeat(200);

  test.each([16, 100, 1_500])("%i cuts the text within a few tokens of it", async (maxTokens) => {
    for (const pieces of [[words], words.match(/.{1,7}/gsu) ?? []]) {
      const { text, end } = await receive({ maxTokens }, [...texts(pieces), finish]);
      expect(end).toEqual({ type: "finish", reason: "length", isInexact: true });
      expect(words.startsWith(text)).toBe(true);
      const tokens = await countTextTokens(text);
      expect(Math.abs(tokens - maxTokens)).toBeLessThanOrEqual(Math.max(4, maxTokens * 0.06));
    }
  });

  test("reasoning counts", async () => {
    const events: ChatEvent[] = [{ type: "reasoning", text: words }, ...texts(["x"]), finish];
    const received = await receive({ maxTokens: 50 }, events);
    expect(received).toMatchObject({ text: "", end: { type: "finish", reason: "length" }, count: 1 });
  });

  test("a bound below 16 is lifted to 16, and an answer within its bound is whole", async () => {
    expect(await receive({ maxTokens: 1 }, [...texts(["It works well."]), finish])).toMatchObject({
      text: "It works well.",
      end: finish,
    });
  });
});

describe.each<KimiKind>(["kimi-web", "kimi-legacy"])("on %s", (kind) => {
  test.each([true, false])(
    "the answer ends in front of the stop text, and Kimi is stopped (stream: %s)",
    async (stream) => {
      const gateway = await startGateway({ kind });
      const { completions } = gateway.client.chat;
      const messages = [{ role: "user" as const, content: "sim:slow=2 sim:repeat=3000" }];
      const body = { model: "kimi", messages, stop: "57", max_tokens: 4_000 };
      const final = stream
        ? await completions.stream(body).finalChatCompletion()
        : await completions.create({ ...body, stream: false });
      const [choice] = final.choices;
      expect(choice?.finish_reason).toBe("stop");
      expect(choice?.message.content?.trim()).toMatch(/ 56$/);
      await waitUntil(() => gateway.simulator.counts().openStreams === 0);
    },
  );
});
