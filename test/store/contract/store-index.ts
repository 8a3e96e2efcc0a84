import { describe, expect, test } from "vitest";
import { type CreateStorage, node, openWithChats, saveNode } from "./fixtures.js";

/** The contract of what a copy of the store asks for. */
export function testStoreIndex(createStorage: CreateStorage): void {
  describe("the index", () => {
    test("has the secrets, and the owners of files and capabilities, each once", async () => {
      const store = await (await createStorage())();
      expect(await store.index.listSecrets()).toEqual(new Map());
      expect(await store.index.listFileOwners()).toEqual([]);
      expect(await store.index.listCapabilityAccounts()).toEqual([]);
      await store.getOrCreateSecret("a", () => "1");
      await store.getOrCreateSecret("b", () => "2");
      const file = { name: "x", mediaType: "x", purpose: "x", size: 1, digest: "x", createdAt: 1 };
      await store.saveFile({ ...file, id: "1", owner: "you" });
      await store.saveFile({ ...file, id: "2", owner: "me" });
      await store.saveFile({ ...file, id: "3", owner: "you" });
      const capability = { name: "x", value: true, source: "use", changedAt: 1 } as const;
      await store.capabilities.saveCapabilities([
        { ...capability, account: "you" },
        { ...capability, account: "me" },
      ]);
      expect(await store.index.listSecrets()).toEqual(
        new Map([
          ["a", "1"],
          ["b", "2"],
        ]),
      );
      expect(await store.index.listFileOwners()).toEqual(["me", "you"]);
      expect(await store.index.listCapabilityAccounts()).toEqual(["me", "you"]);
    });

    test("has the responses, each after the one that it continues", async () => {
      const store = await (await createStorage())();
      const response = { owner: "me", body: "x", expiresAt: 100 };
      await store.saveResponse({ ...response, id: "c" }, 0);
      await store.saveResponse({ ...response, id: "b", previous: "c" }, 0);
      await store.saveResponse({ ...response, id: "a", previous: "b" }, 0);
      await store.saveResponse({ ...response, id: "other", owner: "you", previous: "gone" }, 0);
      const listed = await store.index.listResponses();
      expect(listed).toHaveLength(4);
      expect(listed).toContainEqual({ owner: "you", id: "other" });
      expect(listed.filter(({ owner }) => owner === "me").map(({ id }) => id)).toEqual(["c", "b", "a"]);
    });

    test("has the nodes by their ids, page by page, tombstones included", async () => {
      const store = await openWithChats(createStorage, "a", "b");
      const ids: number[] = [];
      for (const name of ["1", "2", "3"])
        ids.push(await saveNode(store, name === "2" ? "b" : "a", node(name)));
      await store.removeChat("me", "b", 1);
      const [first = 0, second = 0] = ids;
      expect(await store.index.listNodes(0, 2)).toEqual([first, second]);
      expect(await store.index.listNodes(second, 2)).toEqual(ids.slice(2));
      expect(await store.index.listNodes(ids[2] ?? 0, 2)).toEqual([]);
    });
  });
}
