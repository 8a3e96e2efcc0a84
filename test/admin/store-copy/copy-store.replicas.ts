import { expect, onTestFinished, test } from "vitest";
import { copyStores } from "../../../src/app/copy-stores.js";
import type { StoreLocation } from "../../../src/config/store-location.js";
import { openStore } from "../../../src/store/open-store.js";
import { RedisServer } from "../../store/redis/redis-server.js";
import { freshPath } from "../../store/sqlite/temporary-database.js";
import { contentsOf, fillStore } from "./store-contents.js";

const encryptionKeys = [Buffer.alloc(32, 1)];

async function open(store: StoreLocation) {
  const opened = await openStore({ store, encryptionKeys });
  onTestFinished(() => opened.close());
  return opened;
}

async function copy(from: StoreLocation, to: StoreLocation): Promise<void> {
  for await (const part of copyStores(from, to, encryptionKeys)) expect(part.to).toBe(part.from);
}

test("a database that is copied to Redis and back is the same, and so is one that was copied twice", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const [file, back] = [await freshPath(), await freshPath()];
  const [from, to] = [{ kind: "sqlite", path: file } as const, { kind: "sqlite", path: back } as const];
  const redis = { kind: "redis", url: server.url } as const;
  await fillStore(await open(from), 100);
  const contents = await contentsOf(await open(from));
  await copy(from, redis);
  expect(await contentsOf(await open(redis))).toEqual(contents);
  await copy(redis, to);
  expect(await contentsOf(await open(to))).toEqual(contents);
  await copy(from, redis);
  expect(await contentsOf(await open(redis))).toEqual(contents);
});

test("nothing is copied from a database that is missing, or to itself", async () => {
  const missing = { kind: "sqlite", path: await freshPath() } as const;
  const other = { kind: "sqlite", path: await freshPath() } as const;
  await expect(copy(missing, other)).rejects.toThrow(/There is no database/);
  await expect(copy(other, other)).rejects.toThrow("Both are the same store.");
});
