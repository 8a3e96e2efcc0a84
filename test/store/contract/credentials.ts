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
      expect(await mine.acquireLock("lock-a", "me", later)).toBe(true);
      expect(await mine.acquireLock("lock-a", "me", later + 1)).toBe(true);
      expect(await yours.acquireLock("lock-a", "you", later)).toBe(false);
      expect(await yours.acquireLock("lock-b", "you", later)).toBe(true);
      await yours.releaseLock("lock-a", "you");
      expect(await yours.acquireLock("lock-a", "you", later)).toBe(false);
      await mine.releaseLock("lock-a", "me");
      expect(await yours.acquireLock("lock-a", "you", later)).toBe(true);
    });

    test("that expired goes to the first to acquire it", async () => {
      const open = await createStorage();
      const store = await open();
      await store.acquireLock("lock-a", "killed", Date.now() - 1);
      expect(await store.acquireLock("lock-a", "first", Date.now() + 60_000)).toBe(true);
      expect(await store.acquireLock("lock-a", "second", Date.now() + 60_000)).toBe(false);
      await store.releaseLock("lock-a", "killed");
      expect(await store.acquireLock("lock-a", "second", Date.now() + 60_000)).toBe(false);
    });
  });
}
