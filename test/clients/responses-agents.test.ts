import { createOpenAI } from "@ai-sdk/openai";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, streamText } from "ai";
import { describe, expect, test } from "vitest";
import { readNote } from "../chat/tools/example-tools.js";
import { sentTurns } from "../conversations/dialogue.js";
import { apiKey, type Gateway, startGateway } from "../gateway.js";
import { responsesAgents } from "./responses-agents.js";

const rows = responsesAgents.flatMap(([name, create]) =>
  [true, false].map((stream) => [name, stream, create] as const),
);

/** The first turn opens the chat, and all others continue it. */
function expectOneChat(gateway: Gateway): void {
  const [first, ...others] = sentTurns(gateway);
  expect(first?.chatId).toBeUndefined();
  expect(others.map(({ chatId }) => chatId)).toEqual(others.map(() => others[0]?.chatId ?? "no chat"));
}

test.each(rows)(
  "an agent with %s, stream: %s: calls and their results, in one chat",
  async (_, stream, create) => {
    const gateway = await startGateway();
    const paths: unknown[] = [];
    const tool = {
      ...readNote,
      run: ({ path }: Record<string, unknown>) => {
        paths.push(path);
        return paths.length < 4 ? `sim:call read_note {"path":"${paths.length}.txt"}` : "The note says 42.";
      },
    };
    const agent = create(gateway, stream);
    expect(await agent.run('Read it.\nsim:call read_note {"path":"0.txt"}', { tools: [tool] })).toContain(
      "The note says 42.",
    );
    expect(paths).toEqual(["0.txt", "1.txt", "2.txt", "3.txt"]);
    expect(await agent.run("Thank you. sim:say=Welcome.", { tools: [tool] })).toBe("Welcome.");
    expect(sentTurns(gateway)).toHaveLength(6);
    expectOneChat(gateway);
  },
);

function aiSdk({ url }: Gateway) {
  return createOpenAI({ apiKey, baseURL: `${url}/v1` })("kimi");
}

describe("the AI SDK's default openai()", () => {
  test("streams text, reasoning and usage", async () => {
    const gateway = await startGateway();
    const result = streamText({
      model: aiSdk(gateway),
      prompt: "sim:think sim:say=Hello, 月亮 🌙!",
      maxRetries: 0,
    });
    expect(await result.text).toBe("Hello, 月亮 🌙!");
    expect(await result.reasoningText).toMatch(/模拟/);
    expect(await result.finishReason).toBe("stop");
    expect((await result.usage).inputTokens).toBeGreaterThan(0);
    expect(await result.warnings).toEqual([]);
  });

  test("shows the sources of a search, streamed or not", async () => {
    const gateway = await startGateway();
    const { tools } = createOpenAI({ apiKey, baseURL: `${gateway.url}/v1` });
    const request = {
      model: aiSdk(gateway),
      prompt: "search for the moon",
      maxRetries: 0,
      // The types of the SDK do not fit together with exactOptionalPropertyTypes.
      tools: { web_search: Object(tools.webSearch({})) },
    };
    const whole = await generateText(request);
    const streamed = streamText(request);
    const urls = (sources: readonly unknown[]) => sources.map((source) => Object(source).url);
    const expected = ["https://example.org/simulated", "https://example.com/simulated"];
    expect(urls(whole.sources)).toEqual(expect.arrayContaining(expected));
    expect(urls(await streamed.sources)).toEqual(expect.arrayContaining(expected));
    expect(whole.toolCalls).toMatchObject([{ toolName: "web_search", providerExecuted: true }]);
    expect(whole.toolResults).toMatchObject([
      { output: { action: { type: "search", query: expect.stringContaining("moon") } } },
    ]);
  });

  test("without a search tool, a search of Kimi's is no call of an unknown tool", async () => {
    const gateway = await startGateway();
    const { toolCalls, text } = await generateText({
      model: aiSdk(gateway),
      prompt: "sim:search the moon",
      maxRetries: 0,
    });
    expect(toolCalls).toEqual([]);
    expect(text).toMatch(/^\(Simulated\) I will search first\. [\s\S]*The sources are made up/);
  });

  test("a stream that is cut is an error", async () => {
    const gateway = await startGateway();
    const errors: unknown[] = [];
    gateway.simulator.fault({ kind: "cut", after: 3 });
    const result = streamText({
      model: aiSdk(gateway),
      prompt: "sim:repeat=20",
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    });
    await result.consumeStream();
    expect(JSON.stringify(errors)).toMatch(/upstream_cut/);
    expect(await result.finishReason).toBe("error");
  });
});

describe("LangChain in Responses mode", () => {
  function model({ url }: Gateway) {
    return new ChatOpenAI({
      model: "kimi",
      apiKey,
      configuration: { baseURL: `${url}/v1` },
      maxRetries: 0,
      useResponsesApi: true,
    });
  }

  test("whole and streamed", async () => {
    const gateway = await startGateway();
    const prompt = "sim:say=Hello, 月亮 🌙!";
    const whole = await model(gateway).invoke(prompt);
    expect(whole.text).toBe("Hello, 月亮 🌙!");
    expect(whole.usage_metadata).toMatchObject({ input_tokens: expect.any(Number) });
    let text = "";
    for await (const chunk of await model(gateway).stream(prompt)) text += chunk.text;
    expect(text).toBe("Hello, 月亮 🌙!");
  });

  test("reasoning", async () => {
    const gateway = await startGateway();
    const answer = await model(gateway).invoke("sim:think sim:say=Yes.");
    expect(JSON.stringify(answer.additional_kwargs.reasoning)).toMatch(/summary_text/);
  });
});
