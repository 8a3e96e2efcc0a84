import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { AccountQueue } from "../../src/accounts/account-queue.js";
import { GatewayError } from "../../src/core/errors.js";
import { RedisConnection } from "../../src/store/redis/connection.js";
import { RedisSlots } from "../../src/store/redis/slots.js";
import { RedisServer } from "../store/redis/redis-server.js";

const lease = 600;
const never = new AbortController().signal;

async function startServer(): Promise<RedisServer> {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  return server;
}

type Options = {
  concurrency?: number;
  depth?: number;
  maxWait?: number;
  minInterval?: number;
  leaseMs?: number;
};

/** A process of the service: its queue for the account, and how to end it as a crash does. */
async function openReplica(url: string, options: Options = {}) {
  const { concurrency = 2, depth = 1_000, maxWait = 20_000, minInterval = 0, leaseMs = lease } = options;
  const connection = await RedisConnection.open(url);
  const slots = new RedisSlots(connection, leaseMs);
  let lost = 0;
  const queue = new AccountQueue(
    { concurrency, minInterval, waitLimits: () => ({ depth, maxWait }) },
    {
      ...{ slots, account: "me" },
      onLost: (count) => {
        lost += count;
      },
    },
  );
  const end = async () => {
    slots.close();
    await connection.close();
  };
  onTestFinished(async () => {
    queue.close();
    await end();
  });
  const isReachable = () =>
    connection.send("PING").then(
      () => true,
      () => false,
    );
  const untilReachable = () => expect.poll(isReachable, { timeout: 10_000 }).toBe(true);
  return { queue, end, untilReachable, lost: () => lost };
}

async function openReplicas(url: string, options: Options = {}) {
  return Promise.all([1, 2, 3].map(() => openReplica(url, options)));
}

test("over all processes, no more slots are in use than the account has, and everybody gets one", async () => {
  const { url } = await startServer();
  const replicas = await openReplicas(url);
  let [running, most, served] = [0, 0, 0];
  const work = async (index: number) => {
    const slot = await replicas[index % 3]?.queue.acquire(`key ${index % 7}`, never);
    running++;
    most = Math.max(most, running);
    await sleep(index % 4);
    running--;
    served++;
    slot?.release();
  };
  await Promise.all(Array.from({ length: 300 }, (_, index) => work(index)));
  expect([served, most]).toEqual([300, 2]);
  expect(replicas.map(({ lost }) => lost())).toEqual([0, 0, 0]);
});

test("a key with one request is not behind all those of another, whichever process they wait in", async () => {
  const { url } = await startServer();
  const [first, second] = await openReplicas(url, { concurrency: 1 });
  const running = await first?.queue.acquire("busy", never);
  const order: string[] = [];
  const wait = async (replica: typeof first, key: string) => {
    const slot = await replica?.queue.acquire(key, never);
    order.push(key);
    slot?.release();
  };
  const busy = Array.from({ length: 20 }, () => wait(first, "busy"));
  await expect.poll(() => first?.queue.state.waiting).toBe(20);
  await sleep(100);
  const rare = wait(second, "rare");
  await sleep(100);
  running?.release();
  await Promise.all([...busy, rare]);
  expect(order.indexOf("rare")).toBeLessThanOrEqual(1);
});

test("the slot and the place of a killed process are free within the lease", async () => {
  const { url } = await startServer();
  const [killed, other] = await openReplicas(url, { concurrency: 1 });
  await killed?.queue.acquire("a", never);
  killed?.queue.acquire("a", never).catch(() => {});
  await sleep(50);
  await killed?.end();
  const slot = await other?.queue.acquire("b", AbortSignal.timeout(lease * 3));
  expect(slot).toBeDefined();
});

test("a slot that is held for long is kept", async () => {
  const { url } = await startServer();
  const [holder, other] = await openReplicas(url, { concurrency: 1 });
  const slot = await holder?.queue.acquire("a", never);
  const waiting = other?.queue.acquire("b", AbortSignal.timeout(lease * 3));
  await expect(waiting).rejects.toThrow();
  slot?.release();
  await other?.queue.acquire("b", AbortSignal.timeout(lease * 3));
});

test("a client that leaves the queue gives its place back, also while its slot is being granted", async () => {
  const { url } = await startServer();
  const [first, second] = await openReplicas(url, { concurrency: 1, leaseMs: 60_000 });
  for (let round = 0; round < 20; round++) {
    const slot = await first?.queue.acquire("a", never);
    const abort = new AbortController();
    const leaving = second?.queue.acquire("b", abort.signal).catch(() => undefined);
    await sleep(round);
    slot?.release();
    abort.abort();
    (await leaving)?.release();
    (await first?.queue.acquire("c", AbortSignal.timeout(5_000)))?.release();
  }
});

test("a full queue is told at once, and a wait that takes too long in time", async () => {
  const { url } = await startServer();
  const [first, second] = await openReplicas(url, { concurrency: 1, depth: 1, maxWait: 300 });
  await first?.queue.acquire("a", never);
  const waiting = first?.queue.acquire("a", never);
  waiting?.catch(() => {});
  await sleep(50);
  await expect(second?.queue.acquire("b", never)).rejects.toMatchObject({ code: "account_busy" });
  await expect(waiting).rejects.toMatchObject({
    code: "account_busy",
    retryAfterSeconds: expect.any(Number),
  });
});

test("a rate limit that one process meets pauses the account in all of them", async () => {
  const { url } = await startServer();
  const [first, second] = await openReplicas(url, { concurrency: 2 });
  (await second?.queue.acquire("a", never))?.release();
  first?.queue.recordFailure(
    new GatewayError("rate_limited", "Kimi limits the rate.", { retryAfterSeconds: 1 }),
    "prompt",
  );
  await expect.poll(() => second?.queue.state.pause?.reason.message).toBe("Kimi limits the rate.");
  const waitedFrom = performance.now();
  await second?.queue.acquire("a", never);
  expect(performance.now() - waitedFrom).toBeGreaterThan(500);
});

test("starts keep their distance over all processes", async () => {
  const { url } = await startServer();
  const replicas = await openReplicas(url, { concurrency: 3, minInterval: 200 });
  const starts: number[] = [];
  await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const slot = await replicas[index % 3]?.queue.acquire("a", never);
      starts.push(performance.now());
      slot?.release();
    }),
  );
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
  // The events of two starts can arrive a little closer.
  expect(Math.min(...gaps)).toBeGreaterThan(100);
});

test("what Redis has forgotten is told again: no slot is given twice, and those who wait are served", async () => {
  const server = await startServer();
  const [first, second] = await openReplicas(server.url, { concurrency: 1 });
  const held = await first?.queue.acquire("a", never);
  let isServed = false;
  const waiting = second?.queue.acquire("b", never).then((slot) => {
    isServed = true;
    return slot;
  });
  await sleep(50);
  await server.command("FLUSHALL");
  await server.command("SCRIPT", "FLUSH");
  await sleep(lease);
  expect(isServed).toBe(false);
  expect(first?.lost()).toBeGreaterThan(0);
  held?.release();
  await waiting;
});

test("without Redis each process goes on with slots of its own, and is counted again afterwards", async () => {
  const server = await startServer();
  const [first, second] = await openReplicas(server.url, { concurrency: 1 });
  const held = await first?.queue.acquire("a", never);
  await server.kill();
  const own = await second?.queue.acquire("b", AbortSignal.timeout(8_000));
  const waiting = second?.queue.acquire("b", AbortSignal.timeout(8_000));
  own?.release();
  const last = await waiting;
  held?.release();
  await server.restart();
  // The slot that the second process gave to itself counts.
  await sleep(lease * 3);
  await expect(first?.queue.acquire("c", AbortSignal.timeout(lease))).rejects.toThrow();
  last?.release();
  (await first?.queue.acquire("c", AbortSignal.timeout(8_000)))?.release();
});

test("a slot that could not be given back while Redis was away is given back by the next request", async () => {
  const server = await startServer();
  const { queue, untilReachable } = await openReplica(server.url, { concurrency: 1, leaseMs: 60_000 });
  const slot = await queue.acquire("a", never);
  await server.kill();
  slot.release();
  await sleep(50);
  await server.restart();
  await untilReachable();
  await queue.acquire("b", AbortSignal.timeout(2_000));
});
