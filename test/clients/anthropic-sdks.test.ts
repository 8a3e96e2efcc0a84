import { type AnthropicProvider, createAnthropic } from "@ai-sdk/anthropic";
import { ChatAnthropic } from "@langchain/anthropic";
import { HumanMessage } from "@langchain/core/messages";
import { APICallError, generateObject, generateText, jsonSchema, streamText } from "ai";
import { describe, expect, test } from "vitest";
import { delta, twoCallsStream } from "../fixtures/moonshot.js";
import { apiKey, type Gateway, startGateway } from "../gateway.js";
import { gatewayTo, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";

function aiSdk({ url }: Gateway): AnthropicProvider {
  return createAnthropic({ apiKey, baseURL: `${url}/v1` });
}

const once = { maxRetries: 0, maxOutputTokens: 4_096 };

describe("the AI SDK for Anthropic", () => {
  test("streams text and thinking, and knows why the answer ended", async () => {
    const gateway = await startGateway();
    const result = streamText({
      ...once,
      model: aiSdk(gateway)("kimi"),
      prompt: "sim:say=Hello, 月亮 🌙!",
      providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 2_000 } } },
    });
    expect(await result.text).toBe("Hello, 月亮 🌙!");
    expect(await result.reasoningText).toMatch(/Simulated|模拟/);
    expect(await result.finishReason).toBe("stop");
    const usage = await result.usage;
    expect(usage.inputTokens).toBeGreaterThan(0);
    expect(usage.outputTokens).toBeGreaterThan(0);
  });

  test("shows what a search has found as sources", async () => {
    const anthropic = aiSdk(await startGateway());
    const request = {
      ...once,
      model: anthropic("kimi"),
      prompt: "search for the moon",
      tools: { web_search: anthropic.tools.webSearch_20250305({ maxUses: 2 }) },
    };
    const whole = await generateText(request);
    expect(whole.sources).toContainEqual(
      expect.objectContaining({ sourceType: "url", title: "A made-up page" }),
    );
    const streamed = await streamText(request).sources;
    expect(streamed).toContainEqual(expect.objectContaining({ sourceType: "url", title: "A made-up page" }));
  });

  test("gets an object by a function that it forces", async () => {
    const platform = await startPlatform();
    const model = aiSdk(await gatewayTo(platform))("kimi-k2.6");
    const call = {
      index: 0,
      id: "c",
      type: "function",
      function: { name: "json", arguments: '{"title":"Moon"}' },
    };
    platform.respondWith(
      stream(delta({ role: "assistant", tool_calls: [call] }), delta({}, "tool_calls"), "data: [DONE]\n\n"),
    );
    const properties = { title: { type: "string" } } as const;
    const schema = jsonSchema<{ title: string }>({ type: "object", properties, required: ["title"] });
    const { object } = await generateObject({ ...once, model, schema, prompt: "Name it." });
    expect(object).toEqual({ title: "Moon" });
    expect(platform.calls[0]?.body).toMatchObject({ tool_choice: "required" });
  });

  test("sends pictures and PDFs", async () => {
    const gateway = await startGateway();
    const data = new TextEncoder().encode("%PDF-1.4\n% CANARY\n%%EOF\n");
    const file = { type: "file", mediaType: "application/pdf", filename: "a.pdf", data } as const;
    const content = [{ type: "text" as const, text: "What is it?" }, file];
    await generateText({ ...once, model: aiSdk(gateway)("kimi"), messages: [{ role: "user", content }] });
    const uploads = gateway.simulator.calls.filter(({ path }) => path.endsWith("/file/upload"));
    expect(uploads.map(({ body }) => body)).toMatchObject([{ contentType: "application/pdf" }]);
  });

  test("gets errors, also in the middle of a stream", async () => {
    const gateway = await startGateway();
    const model = aiSdk(gateway)("kimi");
    const refused = generateText({ ...once, model, prompt: "sim:fault=http,403" });
    await expect(refused).rejects.toMatchObject({ statusCode: 424, isRetryable: false });
    await expect(refused).rejects.toBeInstanceOf(APICallError);
    const errors: unknown[] = [];
    const prompt = "sim:fault=cut,3 sim:repeat=20";
    const broken = streamText({ ...once, model, prompt, onError: ({ error }) => void errors.push(error) });
    await broken.consumeStream();
    expect(errors).toHaveLength(1);
  });
});

function tokensOf(message: { usage_metadata?: unknown }): { input: number; output: number } {
  const { input_tokens: input = 0, output_tokens: output = 0 } = Object(message.usage_metadata);
  return { input, output };
}

describe("LangChain for Anthropic", () => {
  const chat = ({ url }: Gateway) =>
    new ChatAnthropic({ model: "kimi", apiKey, anthropicApiUrl: url, maxRetries: 0 });

  test("streams and counts each token once", async () => {
    const gateway = await startGateway();
    const prompt = [new HumanMessage("sim:say=Hello, 月亮 🌙!")];
    const whole = await chat(gateway).invoke(prompt);
    expect(whole.text).toBe("Hello, 月亮 🌙!");
    let text = "";
    let output = 0;
    let input = 0;
    for await (const chunk of await chat(gateway).stream(prompt)) {
      text += chunk.text;
      input += tokensOf(chunk).input;
      output += tokensOf(chunk).output;
    }
    expect(text).toBe(whole.text);
    expect({ input, output }).toEqual(tokensOf(whole));
  });

  test("gets an error with its status", async () => {
    const refused = chat(await startGateway()).invoke("sim:fault=http,429,1");
    await expect(refused).rejects.toMatchObject({ status: 429 });
  });
});

type Answer = { content: { type: string; id: string }[] };

test("a service that speaks OpenAI's API gets Anthropic's requests in its own form, and its calls come back", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  platform.respondWith(stream(...twoCallsStream));
  const post = async (body: object): Promise<Answer> => {
    const headers = { "x-api-key": apiKey, "content-type": "application/json" };
    const init = {
      method: "POST",
      headers,
      body: JSON.stringify({ model: "kimi-k2.6", max_tokens: 900, ...body }),
    };
    return JSON.parse(await (await fetch(`${gateway.url}/v1/messages`, init)).text());
  };
  const tools = [
    { name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
  ];
  const question = { role: "user", content: "Weather in Paris and Oslo?" };
  const answer = await post({
    system: "Be brief.",
    tools,
    messages: [question],
    tool_choice: { type: "auto" },
  });
  expect(answer).toMatchObject({
    stop_reason: "tool_use",
    content: expect.arrayContaining([expect.objectContaining({ type: "tool_use", input: { city: "Oslo" } })]),
  });
  const calls = answer.content.filter(({ type }) => type === "tool_use");
  const results = calls.map(({ id }) => ({
    type: "tool_result",
    tool_use_id: id,
    content: "9C",
  }));
  await post({
    tools,
    messages: [question, { role: "assistant", content: answer.content }, { role: "user", content: results }],
  });
  expect(platform.calls.map(({ body }) => body)).toMatchObject([
    {
      messages: [{ role: "system", content: "Be brief." }, question],
      tools: [{ type: "function", function: { name: "get_weather" } }],
      tool_choice: "auto",
      max_completion_tokens: 900,
    },
    {
      messages: [
        question,
        { role: "assistant", tool_calls: [{ id: calls[0]?.id }, { id: calls[1]?.id }] },
        { role: "tool", tool_call_id: calls[0]?.id, content: "9C" },
        { role: "tool", tool_call_id: calls[1]?.id, content: "9C" },
      ],
    },
  ]);
});
