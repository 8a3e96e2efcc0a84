import { expect, onTestFinished, test } from "vitest";
import { RedisServer } from "../store/redis/redis-server.js";
import { killRepeatedly, type Outcomes } from "./kill-repeatedly.js";

/** Kills processes that refresh accounts on Redis, until a thousand refreshes were interrupted. */
async function kill(refreshGraceSeconds: number): Promise<Outcomes> {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const outcomes = await killRepeatedly(onTestFinished, {
    ...{ refreshGraceSeconds, killPoints: 1_000, loginsAtOnce: 60 },
    storage: {
      store: { kind: "redis", url: server.url },
      encryptionKey: Buffer.alloc(32, "test").toString("base64"),
    },
    // As their time does, by the clock of the server.
    expireLocks: async () => {
      const locks = await server.command("KEYS", "*:lock:*");
      for (const lock of Array.isArray(locks) ? locks : []) await server.command("DEL", String(lock));
    },
  });
  console.table(outcomes);
  return outcomes;
}

test("a thousand deaths of lock-holders lose no login if Kimi accepts an old refresh token for a minute", {
  timeout: 240_000,
}, async () => {
  const { kills, recovered } = await kill(60);
  expect(recovered).toBe(kills);
});

test("a thousand deaths of lock-holders: a login is lost only with a pair that was not stored, and no token is used twice beside", {
  timeout: 240_000,
}, async () => {
  const outcomes = await kill(0);
  expect(outcomes.notStored).toBeGreaterThan(0);
  expect(outcomes["login required"]).toBe(outcomes.notStored);
});
