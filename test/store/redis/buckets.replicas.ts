import { expect, onTestFinished, test } from "vitest";
import { RedisBuckets } from "../../../src/store/redis/buckets.js";
import { RedisConnection } from "../../../src/store/redis/connection.js";
import { RedisServer } from "./redis-server.js";

async function openBuckets(count: number): Promise<{ buckets: RedisBuckets[]; server: RedisServer }> {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const connections = await Promise.all(
    Array.from({ length: count }, () => RedisConnection.open(server.url)),
  );
  onTestFinished(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
  });
  return { buckets: connections.map((connection) => new RedisBuckets(connection)), server };
}

const hourly = { tokens: 10, refillMs: 3_600_000 };

test("over all processes, a bucket gives as many tokens as it has", async () => {
  const { buckets } = await openBuckets(3);
  const taken = await Promise.all(
    Array.from({ length: 30 }, (_, index) => buckets[index % 3]?.take("a", hourly)),
  );
  expect(taken.filter((state) => state?.isTaken)).toHaveLength(10);
  expect(await buckets[0]?.state("a", hourly)).toEqual({
    remaining: 0,
    secondsToNext: expect.closeTo(360, -1),
    secondsToFull: expect.closeTo(3_600, -1),
  });
  expect(await buckets[1]?.state("another", hourly)).toMatchObject({ remaining: 10, secondsToFull: 0 });
});

test("a bucket refills over time, and leaves nothing behind when it is full", async () => {
  const { buckets, server } = await openBuckets(1);
  const quick = { tokens: 5, refillMs: 500 };
  for (let index = 0; index < 5; index++) await buckets[0]?.take("a", quick);
  await expect.poll(async () => (await buckets[0]?.state("a", quick))?.remaining).toBe(5);
  await expect.poll(() => server.command("DBSIZE")).toBe(0);
});
