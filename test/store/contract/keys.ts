import { describe, expect, test } from "vitest";
import type { KeySettings, StoredKey } from "../../../src/core/store.js";
import type { CreateStorage } from "./fixtures.js";

const plainKey: StoredKey = { name: "first", sha256: "00", settings: { scopes: ["chat", "admin"] } };
const everySetting: Required<KeySettings> = {
  scopes: ["chat"],
  models: ["kimi"],
  upstreams: ["me"],
  requestsPerMinute: 3,
  concurrency: 2,
  requestsPerDay: 30,
  tokensPerDay: 4_000,
  expires: 1_800_000_000_000,
  chats: "ephemeral",
  citations: "off",
  tools: "off",
  visibleErrors: true,
};
const fullKey: StoredKey = { name: "second", sha256: "01", settings: everySetting, createdAt: 2 };

/** The contract of API keys and of the server's secrets. */
export function testKeys(createStorage: CreateStorage): void {
  describe("API keys", () => {
    test("are kept with all their settings, the oldest first, also after the store was closed", async () => {
      const open = await createStorage();
      const store = await open();
      expect(await store.addKey(plainKey)).toBe(true);
      expect(await store.addKey(fullKey)).toBe(true);
      await store.close();
      expect(await (await open()).listKeys()).toEqual([plainKey, fullKey]);
    });

    test("are found by hash and name, in each process, until they are removed", async () => {
      const open = await createStorage();
      const [store, other] = [await open(), await open()];
      await store.addKey(plainKey);
      await store.addKey(fullKey);
      expect(await other.findKeyByHash("01")).toEqual(fullKey);
      expect(await other.findKeyByName("second")).toEqual(fullKey);
      expect(await other.findKeyByHash("02")).toBeUndefined();
      expect(await other.findKeyByName("02")).toBeUndefined();
      expect(await other.removeKey("second")).toBe(true);
      expect(await other.removeKey("second")).toBe(false);
      expect(await store.findKeyByHash("01")).toBeUndefined();
      expect(await store.listKeys()).toEqual([plainKey]);
    });

    test("get other settings, in each process, and stay the same key", async () => {
      const open = await createStorage();
      const [store, other] = [await open(), await open()];
      await store.addKey(fullKey);
      expect(await store.updateKey("second", { scopes: ["admin"] })).toBe(true);
      expect(await other.findKeyByHash("01")).toEqual({ ...fullKey, settings: { scopes: ["admin"] } });
      expect(await store.updateKey("none", { scopes: ["admin"] })).toBe(false);
    });

    test("have names of their own: a second one of the same name is refused and not stored", async () => {
      const open = await createStorage();
      const [store, other] = [await open(), await open()];
      await store.addKey(fullKey);
      expect(await other.addKey({ ...plainKey, name: fullKey.name })).toBe(false);
      expect(await store.findKeyByHash(plainKey.sha256)).toBeUndefined();
      expect(await store.findKeyByName(fullKey.name)).toEqual(fullKey);
      const added = await Promise.all([store, other].map((each) => each.addKey(plainKey)));
      expect(added.sort()).toEqual([false, true]);
    });
  });

  describe("what a key has used", () => {
    const day = "2026-11-29";

    test("is counted by key and day over all processes, up to its budget, and kept", async () => {
      const open = await createStorage();
      const stores = [await open(), await open()];
      const counted = await Promise.all(
        Array.from({ length: 20 }, (_, n) => stores[n % 2]?.countRequest("a", day, { requests: 7 })),
      );
      expect(counted.filter((usedUp) => usedUp === undefined)).toHaveLength(7);
      expect(counted.filter((usedUp) => usedUp === "requests")).toHaveLength(13);
      await Promise.all(stores.map((store) => store.addTokens("a", day, 50)));
      expect(await stores[0]?.countRequest("a", day, { tokens: 100 })).toBe("tokens");
      expect(await stores[0]?.countRequest("a", "2026-11-30", { requests: 1, tokens: 1 })).toBeUndefined();
      expect(await stores[0]?.countRequest("b", day, { requests: 1 })).toBeUndefined();
      await Promise.all(stores.map((store) => store.close()));
      const again = await open();
      expect(await again.findKeyUsage("a", day)).toEqual({ requests: 7, tokens: 100 });
      expect(await again.findKeyUsage("b", day)).toEqual({ requests: 1, tokens: 0 });
    });

    test("is forgotten with the key, and unknown keys have used nothing", async () => {
      const store = await (await createStorage())();
      await store.addKey(plainKey);
      await store.addTokens(plainKey.name, day, 5);
      await store.addTokens("other", day, 6);
      await store.removeKey("other");
      await store.removeKey(plainKey.name);
      expect(await store.findKeyUsage(plainKey.name, day)).toEqual({ requests: 0, tokens: 0 });
      expect(await store.findKeyUsage("other", day)).toEqual({ requests: 0, tokens: 6 });
    });
  });

  test("a secret of the server is generated once for all processes", async () => {
    const open = await createStorage();
    const stores = await Promise.all(Array.from({ length: 4 }, open));
    const secrets = stores.map((store, n) => store.getOrCreateSecret("secret-a", () => `value-${n}`));
    expect(new Set(await Promise.all(secrets)).size).toBe(1);
    const again = await open();
    expect(await again.getOrCreateSecret("secret-a", () => "never")).toBe(await secrets[0]);
    expect(await stores[1]?.getOrCreateSecret("secret-b", () => "other")).toBe("other");
  });
}
