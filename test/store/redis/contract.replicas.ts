import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { RedisStore } from "../../../src/store/redis/store.js";
import { testRandomCalls } from "../contract/random-calls.js";
import { testStore } from "../contract/store-contract.js";
import { RedisServer } from "./redis-server.js";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

async function createStorage() {
  await server.command("FLUSHALL");
  return async () => {
    const store = await RedisStore.open(server.url, [Buffer.alloc(32, 1)]);
    onTestFinished(() => store.close());
    return store;
  };
}

describe("the Redis store", () => {
  testStore(createStorage);
  testRandomCalls(createStorage);
});
