import { expect, test } from "vitest";
import { sentTurns } from "../conversations/dialogue.js";
import { apiKey, chatBody, type Gateway, postChat, startGateway, waitUntil } from "../gateway.js";

const otherKey = "sk-CANARY-other";
const keys = [{ name: "other", key: otherKey }];

/** The prompts that Kimi received, in order. */
const receivedPrompts = (gateway: Gateway) => sentTurns(gateway).map(({ text }) => text);

function sendPrompt(
  gateway: Gateway,
  content: string,
  key = apiKey,
  signal?: AbortSignal,
): Promise<Response> {
  return postChat(gateway, chatBody(content), {
    headers: { authorization: `Bearer ${key}` },
    ...(signal ? { signal } : {}),
  });
}

const queuedEntries = (gateway: Gateway) =>
  gateway.logEntries().filter(({ msg }) => msg === "a request waits for its turn");

test("with fifty requests of one key queued, a request of another key is answered second or third", async () => {
  const gateway = await startGateway({ concurrency: 1, keys });
  // The first answer lasts until all the others are queued.
  const responses = [sendPrompt(gateway, "sim:slow=20 sim:repeat=150")];
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  for (let n = 1; n < 50; n++) responses.push(sendPrompt(gateway, `A${n}`));
  await waitUntil(() => queuedEntries(gateway).length === 49);
  const otherResponse = sendPrompt(gateway, "B", otherKey);
  for (const response of await Promise.all([...responses, otherResponse])) expect(response.status).toBe(200);
  const position = receivedPrompts(gateway).indexOf("B");
  expect(position).toBeGreaterThanOrEqual(1);
  expect(position).toBeLessThanOrEqual(2);
  expect(queuedEntries(gateway).at(-1)).toMatchObject({ upstream: "me", position: expect.any(Number) });
});

test("a request beyond the queue's depth gets 429 with Retry-After; the queued ones are answered", async () => {
  const gateway = await startGateway({ concurrency: 1, queue: { depth: 2 } });
  const served = [sendPrompt(gateway, "sim:slow=20 sim:repeat=20")];
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  served.push(sendPrompt(gateway, "second"), sendPrompt(gateway, "third"));
  await waitUntil(() => queuedEntries(gateway).length === 2);
  const refused = await sendPrompt(gateway, "fourth");
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    error: { code: "account_busy", type: "rate_limit_exceeded" },
  });
  for (const response of await Promise.all(served)) expect(response.status).toBe(200);
  expect(receivedPrompts(gateway).some((prompt) => prompt.includes("fourth"))).toBe(false);
});

test("a client that disconnects in the queue sends nothing to Kimi; one that disconnects during its answer frees the slot", async () => {
  const gateway = await startGateway({ concurrency: 1 });
  const [firstClient, secondClient] = [new AbortController(), new AbortController()];
  const first = sendPrompt(gateway, "sim:slow=50 sim:repeat=10000", apiKey, firstClient.signal);
  first.catch(() => {});
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  const second = sendPrompt(gateway, "left before its turn", apiKey, secondClient.signal);
  second.catch(() => {});
  await waitUntil(() => queuedEntries(gateway).length === 1);
  const third = sendPrompt(gateway, "stayed");
  await waitUntil(() => queuedEntries(gateway).length === 2);
  secondClient.abort();
  firstClient.abort();
  expect((await third).status).toBe(200);
  expect(receivedPrompts(gateway).slice(1)).toEqual(["stayed"]);
});

test("after a 429 with Retry-After from Kimi, the next request waits that long and is then answered", async () => {
  const gateway = await startGateway();
  gateway.simulator.fault({ kind: "http", status: 429, retryAfter: 1 });
  expect((await sendPrompt(gateway, "first")).status).toBe(429);
  expect((await sendPrompt(gateway, "second")).status).toBe(200);
  const [first, second] = gateway.simulator.calls.filter(({ path }) => path.endsWith("ChatService/Chat"));
  // Timers may be a millisecond early.
  expect((second?.receivedAt ?? 0) - (first?.receivedAt ?? 0)).toBeGreaterThan(990);
});

test("an exhausted quota does not stop further requests, since another model may have quota left", async () => {
  const gateway = await startGateway();
  gateway.simulator.fault({ kind: "error", code: "resource_exhausted", paywall: true }, 2);
  for (const status of [429, 429, 200]) expect((await sendPrompt(gateway, "question")).status).toBe(status);
});

test("four concurrent requests on a legacy account, which allows one answer at a time, are answered one after the other", async () => {
  const gateway = await startGateway({ kind: "kimi-legacy" });
  const words = ["one", "two", "three", "four"];
  const answers = await Promise.all(words.map((word) => sendPrompt(gateway, `sim:slow=2 sim:say=${word}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const contents = await Promise.all(
    answers.map(async (answer) => JSON.parse(await answer.text()).choices[0].message.content),
  );
  expect(contents).toEqual(words);
  const streams = gateway.simulator.calls.filter(({ path }) => path.endsWith("/completion/stream"));
  expect(streams.length).toBe(4);
});
