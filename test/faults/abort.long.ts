import { request } from "undici";
import { describe, expect, test } from "vitest";
import { apiKey, chatBody, type Gateway, postChat, startGateway, waitUntil } from "../gateway.js";
import { kinds } from "../upstreams/kimi-sides.js";
import { ask, testedDialects } from "./dialects.js";

const chatPath = "/apiv2/kimi.gateway.chat.v1.ChatService/Chat";
const cancelPath = "/apiv2/kimi.gateway.chat.v1.ChatService/CancelChat";
/** The prompt of an answer of 100 seconds. */
const endlessPrompt = "sim:slow=20 sim:repeat=5000";

function callsTo(gateway: Gateway, path: string) {
  return gateway.simulator.calls.filter((call) => call.path === path);
}

async function readFirstBytes(response: Response): Promise<void> {
  const reader = response.body?.getReader();
  await reader?.read();
  reader?.releaseLock();
}

describe("a client that disconnects during an answer", () => {
  test.each(testedDialects.flatMap((dialect) => [true, false].map((stream) => ({ ...dialect, stream }))))(
    "closes the upstream request and sends CancelChat with the id of the answer ($name, stream: $stream)",
    async ({ stream, ...dialect }) => {
      const gateway = await startGateway();
      const client = new AbortController();
      const answer = ask(gateway, dialect, endlessPrompt, { stream, signal: client.signal });
      answer.catch(() => {});
      if (stream) await readFirstBytes(await answer);
      // Without streaming, wait until Kimi has sent the id of the answer; before that it cannot be cancelled.
      await waitUntil(() => gateway.simulator.counts().openStreams === 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      client.abort();

      await waitUntil(
        () => gateway.simulator.counts().cancels === 1 && gateway.simulator.counts().openStreams === 0,
      );
      const [chat] = callsTo(gateway, chatPath);
      const [cancel] = callsTo(gateway, cancelPath);
      expect(chat?.closedByClient).toBe(true);
      expect(cancel?.body).toEqual({
        chat_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        message_id: expect.any(String),
      });
      await waitUntil(() => gateway.logEntries().some((line) => line.failure === "cancelled"));
    },
  );

  test("cancels upstream within 100 ms, as the median of twenty answers", async () => {
    const gateway = await startGateway();
    const delays: number[] = [];
    for (let n = 1; n <= 20; n++) {
      const client = new AbortController();
      const response = await postChat(gateway, chatBody(endlessPrompt, { stream: true }), {
        signal: client.signal,
      });
      await readFirstBytes(response);
      const disconnectedAt = performance.now();
      client.abort();
      await waitUntil(
        () => gateway.simulator.counts().cancels === n && gateway.simulator.counts().openStreams === 0,
      );
      const closedAt = callsTo(gateway, chatPath).at(-1)?.closedAt ?? Number.NaN;
      const cancelledAt = callsTo(gateway, cancelPath).at(-1)?.receivedAt ?? Number.NaN;
      delays.push(Math.max(closedAt, cancelledAt) - disconnectedAt);
    }
    const median = delays.sort((a, b) => a - b)[10] ?? Number.NaN;
    expect(median).toBeLessThan(100);
  });

  test("does not interrupt a token refresh that other requests wait for", async () => {
    const gateway = await startGateway();
    gateway.simulator.expireAccessTokens();
    gateway.simulator.faultRefresh({ delayMilliseconds: 200 });
    const client = new AbortController();
    const aborted = postChat(gateway, chatBody("one"), { signal: client.signal });
    const waiting = postChat(gateway, chatBody("two"));
    await waitUntil(() => gateway.simulator.counts().refreshes === 1);
    client.abort();
    await expect(aborted).rejects.toThrow();
    expect((await waiting).status).toBe(200);
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });
});

const testName = "%s: a thousand aborts at random moments leak no stream, socket, timer or listener";

test.each(kinds)(testName, async (kind) => {
  const gateway = await startGateway({ kind });
  const before = await countResources(gateway);
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const abortOne = async () => {
    const client = new AbortController();
    const timer = setTimeout(() => client.abort(), random() * 40);
    try {
      const dialect = testedDialects[random() < 0.5 ? 0 : 1];
      if (!dialect) throw new Error("there are two dialects");
      const { body } = await request(`${gateway.url}${dialect.path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(dialect.body(endlessPrompt, random() < 0.5)),
        signal: client.signal,
      });
      await body.dump();
    } catch {
      // Each request is expected to end by its abort.
    }
    clearTimeout(timer);
  };
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, abortOne));
  await waitUntil(() => gateway.simulator.counts().openStreams === 0);
  const loggedRequests = gateway.logEntries().filter((line) => line.msg === "request");
  await waitUntil(
    () => gateway.logEntries().filter((line) => line.msg === "request").length >= loggedRequests.length,
  );

  expect((await postChat(gateway, chatBody("still there?"))).status).toBe(200);
  const after = await countResources(gateway);
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
  expect(after.listeners).toBeLessThanOrEqual(before.listeners);
  expect(gateway.logEntries().filter((line) => Number(line.level) >= 50)).toEqual([]);
});

/** Timers and listeners of this process while no request is active. */
async function countResources(gateway: Gateway) {
  await postChat(gateway, chatBody("warm up"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const active = process.getActiveResourcesInfo();
  return {
    timers: active.filter((resource) => resource === "Timeout").length,
    listeners: process.listenerCount("warning") + process.listenerCount("SIGTERM"),
  };
}
