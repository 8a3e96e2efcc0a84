import { describe, expect, test } from "vitest";
import type { StoredCredentials } from "../../../src/core/store.js";
import type { CreateStorage } from "./fixtures.js";

const credentialsOf = (n: number): StoredCredentials => ({
  current: { accessToken: `access-${n}`, refreshToken: `refresh-${n}` },
  previous: { refreshToken: `refresh-${n - 1}` },
  startedFrom: "x",
  savedAt: n,
});

/** The contract of credentials and locks. */
export function testCredentials(createStorage: CreateStorage): void {
  describe("credentials", () => {
    test("are the latest that were saved, also after the store was closed", async () => {
      const open = await createStorage();
      const store = await open();
      await store.saveCredentials("me", credentialsOf(1));
      await store.saveCredentials("me", credentialsOf(2));
      const site = { baseUrl: "https://www.kimi.ai", authUrl: "https://auth.kimi.ai" };
      await store.saveCredentials("kimi", { ...credentialsOf(3), site });
      await store.close();

      const again = await open();
      expect(await again.findCredentials("me")).toEqual(credentialsOf(2));
      expect(await again.findCredentials("kimi")).toEqual({ ...credentialsOf(3), site });
      expect(await again.findCredentials("toString")).toBeUndefined();
      expect(await again.listAccounts()).toEqual(["kimi", "me"]);
      expect(await again.removeCredentials("me")).toBe(true);
      expect(await again.removeCredentials("me")).toBe(false);
      expect(await again.listAccounts()).toEqual(["kimi"]);
      expect(await again.findCredentials("me")).toBeUndefined();
    });
  });

  describe("a lock", () => {
    test("has one owner, who alone can extend and release it", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      const later = Date.now() + 60_000;
      expect(await mine.acquireLock("lock-a", "me", later)).toEqual(expect.any(Number));
      expect(await mine.acquireLock("lock-a", "me", later + 1)).toEqual(expect.any(Number));
      expect(await yours.acquireLock("lock-a", "you", later)).toBeUndefined();
      expect(await yours.acquireLock("lock-b", "you", later)).toEqual(expect.any(Number));
      await yours.releaseLock("lock-a", "you");
      expect(await yours.acquireLock("lock-a", "you", later)).toBeUndefined();
      await mine.releaseLock("lock-a", "me");
      expect(await yours.acquireLock("lock-a", "you", later)).toEqual(expect.any(Number));
    });

    test("that expired goes to the first to acquire it", async () => {
      const open = await createStorage();
      const store = await open();
      await store.acquireLock("lock-a", "killed", Date.now() - 1);
      expect(await store.acquireLock("lock-a", "first", Date.now() + 60_000)).toEqual(expect.any(Number));
      expect(await store.acquireLock("lock-a", "second", Date.now() + 60_000)).toBeUndefined();
      await store.releaseLock("lock-a", "killed");
      expect(await store.acquireLock("lock-a", "second", Date.now() + 60_000)).toBeUndefined();
    });

    test("gives each owner a higher token than those before, and the same when it is extended", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      const later = Date.now() + 60_000;
      const first = (await mine.acquireLock("lock-a", "me", later)) ?? 0;
      expect(await mine.acquireLock("lock-a", "me", later + 1)).toBe(first);
      const other = (await yours.acquireLock("lock-b", "you", later)) ?? 0;
      await mine.releaseLock("lock-a", "me");
      const second = (await yours.acquireLock("lock-a", "you", later)) ?? 0;
      await yours.acquireLock("lock-a", "you", Date.now() - 1);
      const third = (await mine.acquireLock("lock-a", "me", later)) ?? 0;
      const tokens = [0, first, other, second, third];
      expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b));
    });

    test("that was lost no longer lets its owner overwrite what was saved since", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      const lost = await mine.acquireLock("lock-a", "me", Date.now() - 1);
      const held = await yours.acquireLock("lock-a", "you", Date.now() + 60_000);
      // Nobody has saved anything yet, so that this is the newest.
      expect(await mine.saveCredentials("me", credentialsOf(1), lost)).toBe(true);
      expect(await yours.saveCredentials("me", credentialsOf(2), held)).toBe(true);
      expect(await mine.saveCredentials("me", credentialsOf(3), lost)).toBe(false);
      expect(await mine.findCredentials("me")).toEqual(credentialsOf(2));
      expect(await mine.saveCredentials("other", credentialsOf(3), lost)).toBe(true);
      // A login has no lock, and comes first.
      expect(await mine.saveCredentials("me", credentialsOf(4))).toBe(true);
      expect(await yours.saveCredentials("me", credentialsOf(5), held)).toBe(false);
      expect(await yours.findCredentials("me")).toEqual(credentialsOf(4));
      const next = await mine.acquireLock("lock-b", "me", Date.now() + 60_000);
      expect(await mine.saveCredentials("me", credentialsOf(6), next)).toBe(true);
      expect(await mine.findCredentials("me")).toEqual(credentialsOf(6));
    });
  });
}
