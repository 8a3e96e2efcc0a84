import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "../cli/process.js";
import { RedisServer } from "../store/redis/redis-server.js";

const newKey = () => randomBytes(32).toString("base64");

test("a replica with another encryption key, or a database that Redis does not have, says so and ends", {
  timeout: 60_000,
}, async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  const folder = createTemporaryFolder();
  writeConfig(folder, { token: "sk-CANARY-of-more-than-32-characters", server: { port: 0 } });
  const run = (key: string, url = redis.url) =>
    runMoonbridge([], folder, { MOONBRIDGE_ENCRYPTION_KEY: key, MOONBRIDGE_STORE: url });
  const first = run(newKey());
  await first.ready;
  first.kill("SIGTERM");
  expect(await first.exit).toBe(0);
  const other = run(newKey());
  expect(await other.exit).toBe(1);
  expect(other.log()).toMatch(/^moonbridge: What is sealed in the database cannot be opened: /);
  const missing = run(newKey(), `${redis.url}/99`);
  expect(await missing.exit).toBe(1);
  expect(missing.log()).toMatch(/has no database of this number/);
});
