import { expect, onTestFinished, test } from "vitest";
import { toEnglish } from "../../../src/admin/diagnostics/finding.js";
import { checkStore } from "../../../src/admin/diagnostics/store.js";
import { RedisServer } from "../../store/redis/redis-server.js";

/** The findings of `doctor` about a Redis with these settings. */
async function findingsOf(settings: Record<string, string>) {
  const server = await RedisServer.start({ settings: { requirepass: "CANARY", ...settings } });
  onTestFinished(() => server.stop());
  const store = { kind: "redis", url: server.url } as const;
  const findings = await checkStore({ store, encryptionKeys: [Buffer.alloc(32)] });
  return { server, findings: findings.map(toEnglish) };
}

test("a Redis with an append-only file and without eviction is fine, and its password is not shown", async () => {
  const { server, findings } = await findingsOf({ appendfsync: "everysec" });
  expect(findings).toEqual([
    {
      what: "store",
      state: "ok",
      detail: expect.stringMatching(
        new RegExp(
          `^redis://127\\.0\\.0\\.1:${server.port}, Redis 7\\.[\\d.]+, [\\d.]+ ms away; logins in it are sealed; ` +
            "append-only file, appendfsync everysec, replicas: 0$",
        ),
      ),
    },
  ]);
});

test.each([
  [{ "maxmemory-policy": "allkeys-lru" }, "fail", /removes what Moonbridge keeps.*allkeys-lru/],
  [{ appendonly: "no" }, "warn", /restart of Redis loses logins/],
  [{ appendfsync: "no" }, "warn", /power cut loses logins/],
  [{ replicaof: "127.0.0.1 1" }, "fail", /read-only replica/],
] as const)("a Redis with %j is a problem, with a remedy", async (settings, state, detail) => {
  const { findings } = await findingsOf(settings);
  expect(findings.slice(1)).toEqual([
    { what: "store", state, detail: expect.stringMatching(detail), remedy: expect.any(String) },
  ]);
});
