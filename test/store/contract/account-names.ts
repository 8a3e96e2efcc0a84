import { describe, expect, test } from "vitest";
import type { Store, StoredCredentials } from "../../../src/core/store.js";
import { type CreateStorage, chat, claimOf, node, openWithChats, saveNode } from "./fixtures.js";

const credentials: StoredCredentials = {
  ...{ current: { accessToken: "access", refreshToken: "refresh" }, startedFrom: "login", savedAt: 1 },
  site: { baseUrl: "https://www.kimi.ai", authUrl: "https://auth.kimi.ai" },
};

const nodeOf = async (store: Store, name: string) =>
  (await store.findNodes({ by: "conversation", hash: `conversation-${name}` }, 1, 0))[0];

/** The contract of other names for accounts. */
export function testAccountNames(createStorage: CreateStorage): void {
  describe("an account that is renamed", () => {
    test("has its credentials under the new name, with the first one, also after the store was closed", async () => {
      const open = await createStorage();
      const store = await open();
      await store.saveCredentials("me", credentials);
      expect(await store.renameAccount("me", "home")).toBe(true);
      expect(await store.findCredentials("me")).toBeUndefined();
      expect(await store.findCredentials("home")).toEqual({ ...credentials, firstName: "me" });
      expect(await store.renameAccount("home", "work")).toBe(true);
      await store.close();
      const again = await open();
      expect(await again.listAccounts()).toEqual(["work"]);
      expect(await again.findCredentials("work")).toEqual({ ...credentials, firstName: "me" });
      const lock = await again.acquireLock("renew work", "x", Date.now() + 60_000);
      expect(await again.saveCredentials("work", credentials, lock)).toBe(true);
    });

    test("keeps its chats with their nodes, ends, due times and claims; those of others stay as they are", async () => {
      const store = await openWithChats(createStorage, "a/1", "b");
      await store.saveChat({ ...chat("a/1"), upstream: "me2" });
      const one = await saveNode(store, "a/1", node("1"));
      const two = await saveNode(store, "b", node("2"));
      await store.claimChat(claimOf(two));
      await store.saveCredentials("me", credentials);
      await store.renameAccount("me", "home");
      const { chats, total } = await store.listChats({ upstream: "home", limit: 9 });
      expect([chats.map((each) => [each.chat, each.turns, each.dueAt]), total]).toEqual([
        [
          ["b", 1, 100],
          ["a/1", 1, 100],
        ],
        2,
      ]);
      expect((await store.listChats({ upstream: "me", limit: 9 })).total).toBe(0);
      expect((await store.listChats({ upstream: "me2", limit: 9 })).total).toBe(1);
      expect(await store.findChat("me", "a/1")).toBeUndefined();
      expect(await store.findChat("home", "a/1")).toEqual({ ...chat("a/1"), upstream: "home", attempts: 0 });
      expect((await store.listDueChats(["home"], 100, 9)).map((each) => each.chat).toSorted()).toEqual([
        "a/1",
        "b",
      ]);
      expect((await nodeOf(store, "1"))?.chat).toEqual({
        upstream: "home",
        chat: "a/1",
        scope: "s",
        end: one,
      });
      await store.releaseChat({ upstream: "home", chat: "b", owner: "me" }, two);
      expect((await nodeOf(store, "2"))?.chat).toEqual({ upstream: "home", chat: "b", scope: "s", end: two });
      await store.saveNode(node("3", { parent: one }), { upstream: "home", chat: "a/1" });
      expect((await nodeOf(store, "1"))?.hasChildren).toBe(true);
    });

    test("stays as it is without credentials, and where the new name has some", async () => {
      const store = await openWithChats(createStorage, "a");
      expect(await store.renameAccount("me", "home")).toBe(false);
      await store.saveCredentials("me", credentials);
      await store.saveCredentials("home", { ...credentials, savedAt: 2 });
      expect(await store.renameAccount("me", "home")).toBe(false);
      expect(await store.renameAccount("me", "me")).toBe(false);
      expect(await store.findCredentials("me")).toEqual(credentials);
      expect(await store.findCredentials("home")).toEqual({ ...credentials, savedAt: 2 });
      expect((await store.listChats({ upstream: "me", limit: 9 })).total).toBe(1);
    });
  });
}
