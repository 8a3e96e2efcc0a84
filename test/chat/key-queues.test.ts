import { expect, test } from "vitest";
import { sentTurns } from "../conversations/dialogue.js";
import { chatBody, type Gateway, postChat, startGateway, waitUntil } from "../gateway.js";

const key = "sk-CANARY-limited";
const limitedKeys = (concurrency: number) => [
  { name: "limited", key, concurrency },
  { name: "other", key: "sk-CANARY-other" },
];

function send(gateway: Gateway, content: string, options: { key?: string; signal?: AbortSignal } = {}) {
  const headers = { authorization: `Bearer ${options.key ?? key}` };
  const { signal } = options;
  return postChat(gateway, chatBody(content), { headers, ...(signal ? { signal } : {}) });
}

/** The prompts that Kimi received, in order. */
const receivedPrompts = (gateway: Gateway) => sentTurns(gateway).map(({ text }) => text);

const waitingOf = (gateway: Gateway) =>
  gateway
    .logEntries()
    .filter(({ msg, key: name }) => msg === "a request waits for its turn" && name === "limited");

const slow = "sim:slow=20 sim:repeat=100";
const endless = "sim:slow=50 sim:repeat=10000";

test("requests of a key beyond its concurrency wait their turn, first in, first out", async () => {
  const gateway = await startGateway({ keys: limitedKeys(1) });
  const answers = [send(gateway, slow)];
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  for (const n of [1, 2, 3, 4]) {
    answers.push(send(gateway, `sim:say=${n}`));
    await waitUntil(() => waitingOf(gateway).length === n);
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(receivedPrompts(gateway)).toEqual([slow, ...[1, 2, 3, 4].map((n) => `sim:say=${n}`)]);
});

test("no other key waits for them, nor takes their places in the account's queue", async () => {
  const gateway = await startGateway({ keys: limitedKeys(1), concurrency: 2, queue: { depth: 1 } });
  const stop = new AbortController();
  send(gateway, endless, { signal: stop.signal }).catch(() => {});
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  const waiting = send(gateway, "waits for its key");
  await waitUntil(() => waitingOf(gateway).length === 1);
  for (let n = 0; n < 5; n++)
    expect((await send(gateway, "other", { key: "sk-CANARY-other" })).status).toBe(200);
  expect(receivedPrompts(gateway)).not.toContain("waits for its key");
  stop.abort();
  expect((await waiting).status).toBe(200);
});

test("beyond the queue's depth a request of the key is a 429 with Retry-After, and the waiting ones are answered", async () => {
  const gateway = await startGateway({ keys: limitedKeys(1), queue: { depth: 1 } });
  const answers = [send(gateway, slow)];
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  answers.push(send(gateway, "second"));
  await waitUntil(() => waitingOf(gateway).length === 1);
  const refused = await send(gateway, "third");
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    error: {
      code: "rate_limit_exceeded",
      message: expect.stringMatching(/this key.*concurrency: 1.*wait already/),
    },
  });
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
  expect(receivedPrompts(gateway)).not.toContain("third");
});

test("a request that has waited for queue.waitSeconds is a 429 with Retry-After", async () => {
  const gateway = await startGateway({ keys: limitedKeys(1), queue: { waitSeconds: 1 } });
  const stop = new AbortController();
  send(gateway, endless, { signal: stop.signal }).catch(() => {});
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  const refused = await send(gateway, "second");
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ error: { message: expect.stringMatching(/took too long/) } });
  stop.abort();
  expect((await send(gateway, "third")).status).toBe(200);
});

test("a waiting request whose client disconnects leaves its place at once, however large it is", async () => {
  const gateway = await startGateway({ keys: limitedKeys(1), queue: { depth: 1 } });
  const stop = new AbortController();
  send(gateway, endless, { signal: stop.signal }).catch(() => {});
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  for (let n = 1; n <= 3; n++) {
    const leave = new AbortController();
    send(gateway, `left ${"x".repeat(3_000_000)}`, { signal: leave.signal }).catch(() => {});
    await waitUntil(() => waitingOf(gateway).length === n);
    leave.abort();
    const left = () => gateway.logEntries().filter(({ failure }) => failure === "cancelled").length;
    await waitUntil(() => left() === n);
  }
  const last = send(gateway, "stayed");
  await waitUntil(() => waitingOf(gateway).length === 4);
  stop.abort();
  expect((await last).status).toBe(200);
  expect(receivedPrompts(gateway).slice(1)).toEqual(["stayed"]);
});

test("a request that is refused before it would wait takes no place of its key", async () => {
  const gateway = await startGateway({ keys: limitedKeys(1), queue: { depth: 0 } });
  const stop = new AbortController();
  send(gateway, endless, { signal: stop.signal }).catch(() => {});
  await waitUntil(() => receivedPrompts(gateway).length === 1);
  const headers = { authorization: `Bearer ${key}` };
  const unknown = await postChat(gateway, { ...chatBody("hello"), model: "none" }, { headers });
  expect(unknown.status).toBe(404);
  expect((await send(gateway, "second")).status).toBe(429);
  stop.abort();
  await expect.poll(async () => (await send(gateway, "third")).status, { timeout: 10_000 }).toBe(200);
});
