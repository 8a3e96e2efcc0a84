import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { apiKey, chatBody, startGateway, waitUntil } from "../gateway.js";

const hello = {
  model: "moonshot-v1",
  messages: [{ role: "user" as const, content: "CANARY sim:say=Hello, 月亮 🌙!" }],
};

describe("the official openai SDK", () => {
  test("an answer that is not streamed", async () => {
    const { client } = await startGateway();
    const answer = await client.chat.completions.create(hello);
    expect(answer.choices[0]).toMatchObject({
      index: 0,
      finish_reason: "stop",
      logprobs: null,
      message: { role: "assistant", content: "Hello, 月亮 🌙!", refusal: null },
    });
    expect(answer.object).toBe("chat.completion");
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0),
    );
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(0);
    expect(answer._request_id).toMatch(/^req_/);
  });

  test("a stream with usage in the last chunk if include_usage is set", async () => {
    const { client } = await startGateway();
    const stream = await client.chat.completions.create({
      ...hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Hello, 月亮 🌙!");
    expect(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason).length).toBe(1);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
  });

  test("without include_usage every chunk has a choice", async () => {
    const { client } = await startGateway();
    const stream = await client.chat.completions.create({ ...hello, stream: true });
    for await (const chunk of stream) expect(chunk.choices.length).toBe(1);
  });

  test("the SDK's stream helper accepts roles and finish reason", async () => {
    const { client } = await startGateway();
    const stream = client.chat.completions.stream(hello);
    expect(await stream.finalContent()).toBe("Hello, 月亮 🌙!");
    expect((await stream.finalChatCompletion()).choices[0]?.finish_reason).toBe("stop");
  });

  test("reasoning comes first, never in one delta with content", async () => {
    const { client } = await startGateway();
    const stream = await client.chat.completions.create({
      ...hello,
      model: "kimi",
      reasoning_effort: "high",
      stream: true,
    });
    const order: string[] = [];
    for await (const chunk of stream) {
      const delta: object = chunk.choices[0]?.delta ?? {};
      const kinds = ["reasoning_content", "content"].filter((kind) => Reflect.get(delta, kind));
      expect(kinds.length).toBeLessThanOrEqual(1);
      if (kinds[0] && order.at(-1) !== kinds[0]) order.push(kinds[0]);
    }
    expect(order).toEqual(["reasoning_content", "content"]);
    const whole = await client.chat.completions.create({ ...hello, model: "kimi-thinking" });
    expect(whole.choices[0]?.message).toMatchObject({
      reasoning_content: expect.stringMatching(/模拟/),
    });
  });

  test("models can be listed and retrieved", async () => {
    const { client } = await startGateway();
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    const ids = models.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining([
        "moonshot-v1",
        "kimi",
        "kimi-thinking",
        "kimi-nosearch",
        "k2d6-chat",
        "k3-agent",
      ]),
    );
    expect(new Set(ids).size).toBe(ids.length);
    // LobeChat hides models whose ids hold one of these (clients.md §2.2).
    expect(
      ids.filter((id) => /embedding|davinci|curie|moderation|ada|babbage|tts|whisper|dall-e/.test(id)),
    ).toEqual([]);
    for (const model of models) {
      expect(model).toMatchObject({
        object: "model",
        created: expect.any(Number),
        owned_by: "moonshot",
        name: expect.any(String),
      });
    }
    expect((await client.models.retrieve("kimi")).id).toBe("kimi");
    await expect(client.models.retrieve("gpt-9")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  test("aborting a stream cancels the answer upstream", async () => {
    const gateway = await startGateway();
    const stream = await gateway.client.chat.completions.create({
      model: "kimi",
      stream: true,
      messages: [{ role: "user", content: "sim:slow=10 sim:repeat=5000" }],
    });
    let seen = 0;
    for await (const _ of stream) if (++seen === 3) stream.controller.abort();
    expect(seen).toBeLessThan(5_000);
    await waitUntil(
      () => gateway.simulator.counts().openStreams === 0 && gateway.simulator.counts().cancels === 1,
    );
  });
});

describe("error classes of the openai SDK", () => {
  test("401, 400 and 404 have their own error classes, and 401 is not retried", async () => {
    const gateway = await startGateway();
    const unauthorized = new OpenAI({
      apiKey: "sk-CANARY-wrong",
      baseURL: `${gateway.url}/v1`,
      maxRetries: 3,
    });
    await expect(unauthorized.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    expect(gateway.logEntries().filter((line) => line.status === 401).length).toBe(1);
    const { completions } = gateway.client.chat;
    await expect(completions.create({ ...hello, n: 3 })).rejects.toMatchObject({ status: 400, param: "n" });
    await expect(completions.create({ ...hello, n: 3 })).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(completions.create({ ...hello, model: "gpt-9" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
  });

  test("429 with retry-after is retried by the SDK", async () => {
    const gateway = await startGateway();
    const retryingClient = new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 1 });
    gateway.simulator.fault({ kind: "http", status: 429, retryAfter: 1 });
    await expect(gateway.client.chat.completions.create(hello)).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    gateway.simulator.fault({ kind: "http", status: 429, retryAfter: 1 });
    expect((await retryingClient.chat.completions.create(hello)).choices[0]?.finish_reason).toBe("stop");
  });

  test("5xx is an InternalServerError; a failure in the middle of a stream rejects it with code and type", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "error", code: "unavailable" });
    await expect(gateway.client.chat.completions.create(hello)).rejects.toBeInstanceOf(
      OpenAI.InternalServerError,
    );
    gateway.simulator.fault({ kind: "cut", after: 2 });
    const stream = await gateway.client.chat.completions.create({
      ...chatBody("sim:repeat=9"),
      messages: hello.messages,
      stream: true,
    });
    const reading = (async () => {
      for await (const _ of stream);
    })();
    await expect(reading).rejects.toMatchObject({
      code: "upstream_cut",
      type: "upstream_error",
      requestID: /^req_/,
    });
  });
});
