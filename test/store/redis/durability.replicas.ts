import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { RedisStore } from "../../../src/store/redis/store.js";
import { RedisServer } from "./redis-server.js";
import { startScriptedRedis } from "./scripted-redis.js";

const encryptionKeys = [Buffer.alloc(32, 1)];
const credentials = { current: { refreshToken: "CANARY" }, startedFrom: "x", savedAt: 1 };

/** Opens a store on a server of this version whose scripts succeed, and which answers WAITAOF as given. */
async function openStore({
  waitaof = () => [1, 0] as const,
  version = "7.2.4",
  knowsScripts = true,
}: {
  waitaof?: () => readonly [number, number] | Error | undefined;
  version?: string;
  knowsScripts?: boolean;
}) {
  const commands: string[] = [];
  const url = await startScriptedRedis(([name = "", ...args]) => {
    commands.push(name === "WAITAOF" ? [name, ...args].join(" ") : name);
    if (name === "PING") return "PONG";
    if (name === "INFO") return `# Server\r\nredis_version:${version}\r\n`;
    if (name === "HKEYS") return [];
    if (name === "EVALSHA" && !knowsScripts) return new Error("NOSCRIPT No matching script.");
    if (name === "EVALSHA" || name === "EVAL") return 1;
    if (name === "WAITAOF") return waitaof();
    return null;
  });
  const store = await RedisStore.open(url, encryptionKeys);
  onTestFinished(() => store.close());
  return { store, commands };
}

test("saved credentials have reached the disk of a Redis that can tell", async () => {
  let isOnDisk = false;
  const { store, commands } = await openStore({
    waitaof: () => {
      isOnDisk = true;
      return [1, 0];
    },
  });
  expect(await store.saveCredentials("me", credentials)).toBe(true);
  expect(isOnDisk).toBe(true);
  expect(commands.slice(-2)).toEqual(["EVALSHA", "WAITAOF 1 0 2500"]);
});

test("the disk is waited for after a script that Redis did not know", async () => {
  const { store, commands } = await openStore({ knowsScripts: false });
  expect(await store.saveCredentials("me", credentials)).toBe(true);
  expect(commands.slice(-4)).toEqual(["EVALSHA", "WAITAOF 1 0 2500", "EVAL", "WAITAOF 1 0 2500"]);
});

test("credentials that do not reach the disk in time are not saved", async () => {
  const { store } = await openStore({ waitaof: () => [0, 0] });
  await expect(store.saveCredentials("me", credentials)).rejects.toThrow(
    /^The store redis:\/\/127\.0\.0\.1:\d+ did not confirm in time that a login is on its disk\./,
  );
});

test.each([
  ["is too old to tell", "ERR unknown command 'WAITAOF', with args beginning with: '1' '0'"],
  ["has no append-only file", "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."],
])("the reply of a Redis that %s counts", async (_, message) => {
  const { store } = await openStore({ waitaof: () => new Error(message) });
  expect(await store.saveCredentials("me", credentials)).toBe(true);
});

test("other calls do not wait behind a save that waits for the disk", async () => {
  const { store } = await openStore({ waitaof: () => undefined });
  const saving = store.saveCredentials("me", credentials).catch(() => {});
  await sleep(50);
  expect(await store.findCredentials("you")).toBeUndefined();
  await store.close();
  await saving;
});

test.each(["6.2.14", "5.0.7"])("Redis %s is refused", async (version) => {
  await expect(openStore({ version })).rejects.toThrow(
    new RegExp(`is Redis ${version}\\. Moonbridge needs Redis 7\\.0 or Valkey 7\\.2, or newer\\.$`),
  );
});

test("logins, secrets and texts of the journal are sealed on the disk of Redis", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const store = await RedisStore.open(server.url, encryptionKeys);
  onTestFinished(() => store.close());
  await store.saveCredentials("visible", credentials);
  await store.getOrCreateSecret("secret", () => "CANARY");
  const entry = { id: "a", endedAt: 1, duration: 1, method: "POST", route: "/", status: 200, attempts: 1 };
  const texts = { prompt: "CANARY", promptLength: 6, earlier: 0, answer: "CANARY", answerLength: 6 };
  await store.journal.addEntries([{ entry: { ...entry, texts }, day: "2026-01-01" }]);
  const written = await server.readFiles();
  expect(written).toContain("visible");
  expect(written).not.toContain("CANARY");
});

test("logins sealed with the previous key are sealed with the current one, which alone opens them then", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const open = async (...keys: Buffer[]) => {
    const store = await RedisStore.open(server.url, keys);
    onTestFinished(() => store.close());
    return store;
  };
  const [before, after] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const first = await open(before);
  await first.saveCredentials("me", credentials);
  await first.getOrCreateSecret("secret", () => "value");
  await expect(open(after)).rejects.toThrow(/MOONBRIDGE_ENCRYPTION_KEY is not the key/);
  await (await open(after, before)).getOrCreateSecret("secret", () => "never");
  const last = await open(after);
  expect(await last.findCredentials("me")).toEqual(credentials);
  expect(await last.getOrCreateSecret("secret", () => "never")).toBe("value");
});

test("a store in Redis needs an encryption key", async () => {
  await expect(RedisStore.open("redis://:CANARY@127.0.0.1:1", [])).rejects.toThrow(
    /^The store redis:\/\/127\.0\.0\.1:1 is shared, so that logins in it must be sealed\./,
  );
});
