import { expect, onTestFinished, test } from "vitest";
import { RedisStore } from "../../../src/store/redis/store.js";
import { RedisServer } from "./redis-server.js";

const entry = {
  ...{ id: "a", endedAt: 1, duration: 1, method: "POST", route: "/v1/chat/completions" },
  ...{ status: 200, attempts: 1 },
};
const texts = { prompt: "CANARY", promptLength: 6, earlier: 0, answer: "CANARY", answerLength: 6 };

test("the texts of a request are sealed in Redis, and not given without the key that sealed them", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const open = async (...keys: Buffer[]) => {
    const store = await RedisStore.open(server.url, keys);
    onTestFinished(() => store.close());
    return store;
  };
  const store = await open(key);
  await store.journal.addEntries([{ entry: { ...entry, texts }, day: "2026-01-01" }]);
  expect((await store.journal.findEntry("a"))?.texts).toEqual(texts);
  const stored: unknown[] = [
    await server.command("HGETALL", "{moonbridge}:1:journal-texts"),
    await server.command("XRANGE", "{moonbridge}:1:journal", "-", "+"),
  ];
  expect(JSON.stringify(stored)).toContain("sealed-1:");
  expect(JSON.stringify(stored)).not.toContain("CANARY");
  expect(await (await open(other)).journal.findEntry("a")).toEqual(entry);
  expect((await (await open(other, key)).journal.findEntry("a"))?.texts).toEqual(texts);
});
