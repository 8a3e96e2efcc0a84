import { type Message, Ollama } from "ollama";
import { describe, expect, test } from "vitest";
import { sentTurns } from "../conversations/dialogue.js";
import { twoCallsStream } from "../fixtures/moonshot.js";
import { apiKey, type Gateway, type GatewayOptions, startGateway, waitUntil } from "../gateway.js";
import { gatewayTo, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";

const hello = { model: "kimi", messages: [{ role: "user", content: "CANARY sim:say=Hello, 月亮 🌙!" }] };

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

function clientOf({ url }: Gateway): Ollama {
  return new Ollama({ host: url, headers: { authorization: `Bearer ${apiKey}` } });
}

async function start(options?: GatewayOptions) {
  const gateway = await startGateway(options);
  return { gateway, client: clientOf(gateway) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const statistics = {
  done: true,
  total_duration: expect.any(Number),
  load_duration: 0,
  prompt_eval_count: expect.any(Number),
  prompt_eval_duration: expect.any(Number),
  eval_count: expect.any(Number),
  eval_duration: expect.any(Number),
};

describe("Ollama's client finds the models", () => {
  test("by the list, version, details and what is loaded", async () => {
    const { client } = await start();
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["kimi", "kimi-thinking", "k3-agent"]),
    );
    expect(models[0]).toMatchObject({
      name: models[0]?.model,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(new Set(models.map(({ digest }) => digest)).size).toBe(models.length);
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await client.ps()).models).toEqual([]);
    const shown = await client.show({ model: "kimi:latest" });
    expect(shown.capabilities).toEqual(expect.arrayContaining(["completion", "vision"]));
    expect(shown.model_info).toMatchObject({ "general.architecture": "moonbridge" });
  });

  test("with the context length and tools of a service that has them", async () => {
    const platform = await startPlatform();
    const client = clientOf(await gatewayTo(platform));
    const shown = await client.show({ model: "kimi-k2.6" });
    expect(shown.model_info).toMatchObject({ "moonbridge.context_length": 262_144 });
    expect(shown.capabilities).toEqual(expect.arrayContaining(["completion", "tools", "thinking"]));
  });

  test("in Ollama's words if there is none of a name", async () => {
    const { client } = await start();
    const expected = { status_code: 404, message: expect.stringMatching(/^model 'llama3\.2' not found/) };
    const messages = [{ role: "user", content: "hi" }];
    await expect(client.show({ model: "llama3.2" })).rejects.toMatchObject(expected);
    await expect(client.chat({ model: "llama3.2", messages })).rejects.toMatchObject(expected);
    await expect(client.chat({ model: "llama3.2" })).rejects.toMatchObject(expected);
    await expect(client.generate({ model: "llama3.2", prompt: "hi", stream: true })).rejects.toMatchObject(
      expected,
    );
  });

  test("but keeps, changes and embeds none", async () => {
    const { client } = await start();
    const refused = { status_code: 400, message: expect.stringMatching(/Moonbridge keeps no models/) };
    await expect(client.pull({ model: "kimi" })).rejects.toMatchObject(refused);
    await expect(client.copy({ source: "kimi", destination: "k" })).rejects.toMatchObject(refused);
    await expect(client.delete({ model: "kimi" })).rejects.toMatchObject(refused);
    await expect(client.embed({ model: "kimi", input: "a" })).rejects.toThrow(/makes embeddings/);
  });
});

describe("Ollama's client chats", () => {
  test("with a whole answer", async () => {
    const { client } = await start();
    const answer = await client.chat(hello);
    expect(answer).toMatchObject({
      model: "kimi",
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      message: { role: "assistant", content: "Hello, 月亮 🌙!" },
      done_reason: "stop",
      ...statistics,
    });
    expect(answer.eval_count).toBeGreaterThan(0);
    expect(answer.total_duration).toBeGreaterThanOrEqual(
      answer.prompt_eval_duration + answer.eval_duration - 1,
    );
  });

  test("with a stream, whose last record is done", async () => {
    const { client } = await start();
    const records = await collect(await client.chat({ ...hello, stream: true }));
    expect(records.map(({ message }) => message.content).join("")).toBe("Hello, 月亮 🌙!");
    expect(records.slice(0, -1).every(({ done }) => !done)).toBe(true);
    expect(records.at(-1)).toMatchObject({ message: { content: "" }, done_reason: "stop", ...statistics });
  });

  test("over several turns in one chat of Kimi's", async () => {
    const { client, gateway } = await start();
    const { message } = await client.chat(hello);
    await client.chat({
      ...hello,
      messages: [...hello.messages, message, { role: "user", content: "sim:say=Bye" }],
    });
    expect(sentTurns(gateway).map(({ chatId }) => chatId !== undefined)).toEqual([false, true]);
  });

  test("with thinking apart from the content, if asked for", async () => {
    const { client } = await start();
    const thought = await client.chat({ ...hello, think: "high" });
    expect(thought.message).toMatchObject({
      thinking: expect.stringMatching(/模拟/),
      content: "Hello, 月亮 🌙!",
    });
    expect((await client.chat({ ...hello, think: false })).message).not.toHaveProperty("thinking");
    const records = await collect(await client.chat({ ...hello, think: true, stream: true }));
    const kinds = records.map(({ message }) =>
      message.thinking ? "thinking" : message.content ? "content" : "none",
    );
    expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toEqual(["thinking", "content", "none"]);
    // @ts-expect-error The client's types know no such effort.
    await expect(client.chat({ ...hello, think: "a bit" })).rejects.toThrow(/^think: expected true, false/);
  });

  test("about pictures", async () => {
    const { client, gateway } = await start();
    await client.chat({ model: "kimi", messages: [{ role: "user", content: "What is it?", images: [png] }] });
    await client.generate({ model: "kimi", prompt: "What is it?", images: [png] });
    const uploads = gateway.simulator.calls.filter(({ path }) => path.endsWith("/file/upload"));
    expect(uploads[0]?.body).toMatchObject({ contentType: "image/png" });
    const chats = gateway.simulator.calls.filter(({ path }) => path.endsWith("ChatService/Chat"));
    for (const { body } of chats) expect(JSON.stringify(body)).toMatch(/"file":\{"id":/);
    expect(chats.length).toBe(2);
  });

  test("and stops Kimi when it is aborted", async () => {
    const { client, gateway } = await start();
    const messages = [{ role: "user", content: "sim:slow=20 sim:repeat=5000" }];
    const answer = await client.chat({ model: "kimi", messages, stream: true });
    let received = 0;
    const reading = (async () => {
      for await (const record of answer) {
        received += record.message.content.length;
        if (received > 5) client.abort();
      }
    })();
    await expect(reading).rejects.toThrow(/abort/i);
    await waitUntil(
      () => gateway.simulator.counts().cancels === 1 && gateway.simulator.counts().openStreams === 0,
    );
  });

  test("and gets a failure in the middle as an error", async () => {
    const { client, gateway } = await start();
    gateway.simulator.fault({ kind: "cut", after: 3 });
    const messages = [{ role: "user", content: "sim:repeat=20" }];
    const answer = await client.chat({ model: "kimi", messages, stream: true });
    await expect(collect(answer)).rejects.toThrow(/broke before the answer was complete/);
  });

  test("without messages, to load and unload a model", async () => {
    const { client, gateway } = await start();
    expect(await client.chat({ model: "kimi" })).toMatchObject({ done: true, done_reason: "load" });
    expect(await client.chat({ model: "kimi", messages: [], keep_alive: 0 })).toMatchObject({
      done_reason: "unload",
    });
    const loaded = await collect(await client.generate({ model: "kimi", prompt: "", stream: true }));
    expect(loaded).toMatchObject([{ response: "", done: true, done_reason: "load" }]);
    expect(gateway.simulator.counts().chats).toBe(0);
  });
});

describe("Ollama's client generates", () => {
  test("a whole answer and a stream", async () => {
    const { client } = await start();
    const request = { model: "kimi", prompt: "sim:say=Hello", system: "Be brief.", keep_alive: "5m" };
    expect(await client.generate(request)).toMatchObject({
      response: "Hello",
      context: expect.arrayContaining([expect.any(Number)]),
      done_reason: "stop",
      ...statistics,
    });
    const records = await collect(await client.generate({ ...request, stream: true, think: true }));
    expect(records.map(({ response }) => response).join("")).toBe("Hello");
    expect(records.some(({ thinking }) => thinking)).toBe(true);
    expect(records.at(-1)).toMatchObject({ response: "", ...statistics });
  });

  test("in the conversation of an earlier answer, which its context names", async () => {
    const { client, gateway } = await start();
    const { context } = await client.generate({ model: "kimi", prompt: "sim:say=One" });
    const next = await client.generate({ model: "kimi", prompt: "sim:say=Two", context });
    expect(next).toMatchObject({ response: "Two", context });
    expect(sentTurns(gateway).map(({ chatId }) => chatId !== undefined)).toEqual([false, true]);
    const unknown = client.generate({
      model: "kimi",
      prompt: "hi",
      context: [...Buffer.from("no-such-one")],
    });
    await expect(unknown).rejects.toMatchObject({ status_code: 404 });
  });
});

describe("Ollama's client, with a service that calls tools and keeps to formats,", () => {
  const tools = [
    {
      type: "function",
      function: {
        name: "get_weather",
        description: "The weather in a city",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ];
  const question = { role: "user", content: "Weather in Paris and Oslo?" };

  test.each([true, false])(
    "gets calls with their arguments as objects, and sends results (stream: %s)",
    async (streams) => {
      const platform = await startPlatform();
      const client = clientOf(await gatewayTo(platform));
      platform.respondWith(stream(...twoCallsStream));
      const request = { model: "kimi-k2.6", messages: [question], tools };
      const records = streams
        ? await collect(await client.chat({ ...request, stream: true }))
        : [await client.chat({ ...request, stream: false })];
      const calls = records.flatMap(({ message }) => message.tool_calls ?? []);
      expect(calls).toMatchObject([
        { function: { name: "get_weather", arguments: { city: "Paris" } } },
        { function: { name: "get_weather", arguments: { city: "Oslo" } } },
      ]);
      expect(records.at(-1)).toMatchObject({ done: true, done_reason: "stop" });
      expect(platform.calls[0]?.body).toMatchObject({ tools });

      const withoutIds = calls.map((call) => ({ function: call.function }));
      const messages = [
        question,
        { role: "assistant", content: "", tool_calls: withoutIds },
        { role: "tool", content: "18C", tool_name: "get_weather" },
        { role: "tool", content: "9C", tool_name: "get_weather" },
      ];
      await client.chat({ ...request, messages });
      const sent = platform.calls[1]?.body.messages;
      expect(sent).toMatchObject([
        {},
        {
          tool_calls: [
            { id: "call_0", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
            { id: "call_1", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_0", content: "18C" },
        { role: "tool", tool_call_id: "call_1", content: "9C" },
      ]);
    },
  );

  test.each([true, false])(
    "gets the calls of Kimi's web chat, which has no functions, and continues its chat (stream: %s)",
    async (streams) => {
      const gateway = await startGateway();
      const client = clientOf(gateway);
      const ask = async (messages: Message[]) =>
        streams
          ? collect(await client.chat({ model: "kimi", messages, tools, stream: true }))
          : [await client.chat({ model: "kimi", messages, tools, stream: false })];
      const asked = { role: "user", content: 'sim:call get_weather {"city":"Paris"}' };
      const records = await ask([asked]);
      const calls = records.flatMap(({ message }) => message.tool_calls ?? []);
      expect(calls).toMatchObject([{ function: { name: "get_weather", arguments: { city: "Paris" } } }]);
      const result = { role: "tool", content: "18C", tool_name: "get_weather" };
      const answer = await ask([asked, { role: "assistant", content: "", tool_calls: calls }, result]);
      expect(answer.map(({ message }) => message.content).join("")).toContain("18C");
      expect(sentTurns(gateway).map(({ chatId }) => chatId !== undefined)).toEqual([false, true]);
      const shown = await client.show({ model: "kimi" });
      expect(shown.capabilities).toContain("tools");
    },
  );

  test("passes its options and format on", async () => {
    const platform = await startPlatform();
    const client = clientOf(await gatewayTo(platform, { preset: "generic" }));
    platform.respondWith(stream(...twoCallsStream));
    const schema = { type: "object", properties: { a: { type: "number" } } };
    const options = { temperature: 0.5, num_predict: 7, stop: ["END"], seed: 1, num_ctx: 8_192 };
    await client.chat({ model: "kimi-k2.6", messages: [question], options, format: schema });
    await client.chat({
      model: "kimi-k2.6",
      messages: [question],
      options: { num_predict: -1 },
      format: "json",
    });
    expect(platform.calls[0]?.body).toMatchObject({
      temperature: 0.5,
      seed: 1,
      max_completion_tokens: 7,
      stop: ["END"],
      response_format: { type: "json_schema", json_schema: { schema } },
    });
    expect(platform.calls[0]?.body).not.toHaveProperty("num_ctx");
    expect(platform.calls[1]?.body).toMatchObject({ response_format: { type: "json_object" } });
    expect(platform.calls[1]?.body).not.toHaveProperty("max_completion_tokens");
  });
});

test("without a key, on this machine and if it is set, at a further port", async () => {
  const { gateway } = await start({ server: { keylessLoopback: true, alsoListen: [0] } });
  const client = new Ollama({ host: gateway.furtherUrls[0] ?? "" });
  expect((await client.chat(hello)).message.content).toBe("Hello, 月亮 🌙!");
  expect((await client.list()).models.length).toBeGreaterThan(0);
});
