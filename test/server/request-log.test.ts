import { expect, test } from "vitest";
import { helloStream } from "../fixtures/moonshot.js";
import { apiKey, chatBody, type Gateway, postChat, startGateway } from "../gateway.js";
import { gatewayTo, json, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";

async function requestLines(gateway: Gateway, count: number): Promise<Record<string, unknown>[]> {
  const find = () => gateway.logEntries().filter(({ msg }) => msg === "request");
  await expect.poll(find).toHaveLength(count);
  return find();
}

test("the line of a chat request tells its dialect, model, upstream, times, tokens and ignored parameters", async () => {
  const gateway = await startGateway();
  const body = chatBody("sim:say=hello", { stream: true, top_k: 3 });
  await (await postChat(gateway, body)).text();
  const [line] = await requestLines(gateway, 1);
  expect(line).toMatchObject({
    method: "POST",
    route: "/v1/chat/completions",
    status: 200,
    key: "test",
    dialect: "chat",
    upstream: "me",
    chat: "new",
    waited: expect.any(Number),
    firstWord: expect.any(Number),
    finish: "stop",
    inputTokens: expect.any(Number),
    outputTokens: expect.any(Number),
    estimated: true,
    ignored: ["top_k"],
  });
  expect(line?.model).toMatch(/^k/);
  expect(line?.outputTokens).toBeGreaterThan(0);
  expect(line).not.toHaveProperty("path");
  expect(line).not.toHaveProperty("attempts");
});

test("the next turn of a conversation is a continued chat, in another dialect as well", async () => {
  const gateway = await startGateway();
  const answer = await gateway.client.chat.completions.create({
    model: "kimi",
    messages: [{ role: "user", content: "hello there" }],
  });
  const next = await fetch(`${gateway.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": apiKey, "content-type": "application/json" },
    body: JSON.stringify({
      model: "kimi",
      max_tokens: 1_000,
      messages: [
        { role: "user", content: "hello there" },
        { role: "assistant", content: answer.choices[0]?.message.content },
        { role: "user", content: "and now" },
      ],
    }),
  });
  expect(next.status).toBe(200);
  expect(await requestLines(gateway, 2)).toMatchObject([
    { dialect: "chat", chat: "new" },
    { dialect: "messages", chat: "continued" },
  ]);
});

test("a request that no upstream has seen has no model, tokens or times of an answer", async () => {
  const gateway = await startGateway();
  await (await postChat(gateway, chatBody("hello", { model: "no-such-model" }))).text();
  const [line] = await requestLines(gateway, 1);
  expect(line).toMatchObject({ status: 404, dialect: "chat", failure: "model_not_found" });
  for (const name of ["model", "upstream", "inputTokens", "firstWord", "finish"])
    expect(line).not.toHaveProperty(name);
});

test("a failed answer names its upstream, and has no finish", async () => {
  const gateway = await startGateway();
  gateway.simulator.fault({ kind: "cut", after: 2 });
  await (await postChat(gateway, chatBody("hello", { stream: true }))).text();
  const [line] = await requestLines(gateway, 1);
  expect(line).toMatchObject({ upstream: "me", failure: "upstream_cut", outputTokens: expect.any(Number) });
  expect(line).not.toHaveProperty("finish");
});

test("a request that leads nowhere is logged with the plain words of its path, never with its query", async () => {
  const gateway = await startGateway();
  await fetch(`${gateway.url}/v2/chat/completions?key=sk-hidden`);
  await fetch(`${gateway.url}/sk-hidden-1/mb-0A1b2C3d/%E4%BD%A0/v1/count_tokens`);
  const [first, second] = await requestLines(gateway, 2);
  expect(first).toMatchObject({ status: 404, route: "none", path: "/v2/chat/completions" });
  expect(second).toMatchObject({ status: 404, route: "none", path: "/*/*/*/v1/count_tokens" });
  expect(JSON.stringify([first, second])).not.toContain("hidden");
});

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

test("a trace is logged, passed on to an OpenAI-compatible service, and never to Kimi", async () => {
  const platform = await startPlatform();
  platform.respondWith(stream(...helloStream));
  const gateway = await gatewayTo(platform);
  const headers = { authorization: `Bearer ${apiKey}`, traceparent, tracestate: "vendor=1" };
  const toService = chatBody("hi", { model: "platform/kimi-k2.6", stream: true });
  await (await postChat(gateway, toService, { headers })).text();
  await (await postChat(gateway, chatBody("hi"), { headers })).text();
  expect((await requestLines(gateway, 2)).map(({ trace }) => trace)).toEqual([traceId, traceId]);
  expect(platform.calls[0]?.headers).toMatchObject({ traceparent, tracestate: "vendor=1" });
  for (const call of gateway.simulator.calls) expect(call.headers).not.toHaveProperty("traceparent");
});

test("a malformed trace is ignored", async () => {
  const platform = await startPlatform();
  platform.respondWith(json(200, {}));
  const gateway = await gatewayTo(platform);
  const malformed = [
    `ff${traceparent.slice(2)}`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    "CANARY",
    `${traceparent}x`,
  ];
  for (const value of malformed)
    await (
      await postChat(gateway, chatBody("hi"), {
        headers: { authorization: `Bearer ${apiKey}`, traceparent: value },
      })
    ).text();
  for (const line of await requestLines(gateway, malformed.length)) expect(line).not.toHaveProperty("trace");
});
