import { request } from "undici";
import { describe, expect, test } from "vitest";
import { apiKey, asking, type Gateway, post, startGateway, until } from "../gateway.js";
import { kinds } from "../upstreams/protocols.js";

const chatPath = "/apiv2/kimi.gateway.chat.v1.ChatService/Chat";
const cancelPath = "/apiv2/kimi.gateway.chat.v1.ChatService/CancelChat";
/** An answer that goes on until somebody stops it. */
const endless = "sim:slow=20 sim:repeat=5000";

function calls(gateway: Gateway, path: string) {
  return gateway.simulator.calls.filter((call) => call.path === path);
}

async function firstBytes(response: Response): Promise<void> {
  const reader = response.body?.getReader();
  await reader?.read();
  reader?.releaseLock();
}

describe("Stop in the UI stops Kimi", () => {
  test.each([true, false])(
    "stream: %s — the upstream request is closed and CancelChat names the answer",
    async (stream) => {
      const gateway = await startGateway();
      const client = new AbortController();
      const answer = post(gateway, asking(endless, { stream }), { signal: client.signal });
      answer.catch(() => {});
      if (stream) await firstBytes(await answer);
      // The line is written once Kimi has named the answer, so this is the earliest that it can be cancelled.
      await until(() => gateway.simulator.counts().openStreams === 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      client.abort();

      await until(
        () => gateway.simulator.counts().cancels === 1 && gateway.simulator.counts().openStreams === 0,
      );
      const [chat] = calls(gateway, chatPath);
      const [cancel] = calls(gateway, cancelPath);
      expect(chat?.closedByClient).toBe(true);
      expect(cancel?.body).toEqual({
        chat_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        message_id: expect.any(String),
      });
      await until(() => gateway.log().some((line) => line.failure === "cancelled"));
    },
  );

  test("it does so within 100 ms, as the median of twenty", async () => {
    const gateway = await startGateway();
    const delays: number[] = [];
    for (let n = 1; n <= 20; n++) {
      const client = new AbortController();
      const response = await post(gateway, asking(endless, { stream: true }), { signal: client.signal });
      await firstBytes(response);
      const leftAt = performance.now();
      client.abort();
      await until(
        () => gateway.simulator.counts().cancels === n && gateway.simulator.counts().openStreams === 0,
      );
      const closedAt = calls(gateway, chatPath).at(-1)?.closedAt ?? Number.NaN;
      const cancelledAt = calls(gateway, cancelPath).at(-1)?.at ?? Number.NaN;
      delays.push(Math.max(closedAt, cancelledAt) - leftAt);
    }
    const median = delays.sort((a, b) => a - b)[10] ?? Number.NaN;
    expect(median).toBeLessThan(100);
  });

  test("a client that leaves while the login is renewed stops nothing for the others", async () => {
    const gateway = await startGateway();
    gateway.simulator.expireAccessTokens();
    gateway.simulator.faultRefresh({ delayMilliseconds: 200 });
    const client = new AbortController();
    const left = post(gateway, asking("one"), { signal: client.signal });
    const stays = post(gateway, asking("two"));
    await until(() => gateway.simulator.counts().refreshes === 1);
    client.abort();
    await expect(left).rejects.toThrow();
    expect((await stays).status).toBe(200);
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });
});

const nothingLeft =
  "%s: a thousand aborts at random moments leave no stream, socket, timer or listener behind";

test.each(kinds)(nothingLeft, async (kind) => {
  const gateway = await startGateway({ kind });
  const before = await resources(gateway);
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const one = async () => {
    const client = new AbortController();
    const timer = setTimeout(() => client.abort(), random() * 40);
    try {
      const { body } = await request(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(asking(endless, { stream: random() < 0.5 })),
        signal: client.signal,
      });
      await body.dump();
    } catch {
      // Every one of them ends like this; that is the test.
    }
    clearTimeout(timer);
  };
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, one));
  await until(() => gateway.simulator.counts().openStreams === 0);
  const answered = gateway.log().filter((line) => line.msg === "request");
  await until(() => gateway.log().filter((line) => line.msg === "request").length >= answered.length);

  expect((await post(gateway, asking("still there?"))).status).toBe(200);
  const after = await resources(gateway);
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
  expect(after.listeners).toBeLessThanOrEqual(before.listeners);
  expect(gateway.log().filter((line) => Number(line.level) >= 50)).toEqual([]);
});

/** What this process holds open once nothing is being answered. */
async function resources(gateway: Gateway) {
  await post(gateway, asking("warm up"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const active = process.getActiveResourcesInfo();
  return {
    timers: active.filter((resource) => resource === "Timeout").length,
    listeners: process.listenerCount("warning") + process.listenerCount("SIGTERM"),
  };
}
