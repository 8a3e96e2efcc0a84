import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { RedisStore } from "../../../src/store/redis/store.js";
import { testKilledTurns } from "../contract/killed-turns.js";
import { testProcesses } from "../contract/processes.js";
import { testRandomCalls } from "../contract/random-calls.js";
import { testStore } from "../contract/store-contract.js";
import type { StoreConfig } from "../worker.js";
import { RedisServer } from "./redis-server.js";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

const encryptionKeys = [Buffer.alloc(32, 1)];

async function createStorage() {
  await server.command("FLUSHALL");
  return async () => {
    const store = await RedisStore.open(server.url, encryptionKeys);
    onTestFinished(() => store.close());
    return store;
  };
}

async function createConfig(): Promise<StoreConfig> {
  await server.command("FLUSHALL");
  return { store: { kind: "redis", url: server.url }, encryptionKeys };
}

describe("the Redis store", () => {
  testStore(createStorage);
  testRandomCalls(createStorage);
  testProcesses(createConfig, () => {});
  testKilledTurns(createConfig);
});
