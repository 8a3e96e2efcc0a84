import { describe, expect, test } from "vitest";
import type { StoredResponse } from "../../../src/core/store.js";
import type { CreateStorage } from "./fixtures.js";

const response = (id: string, fields: Partial<StoredResponse> = {}): StoredResponse => ({
  id,
  owner: "me",
  body: `body of ${id}`,
  expiresAt: 100,
  ...fields,
});

const all = { limit: 10, bytes: 1_000 };

/** The contract of answers that clients can name. */
export function testResponses(createStorage: CreateStorage): void {
  describe("responses", () => {
    test("are found by their owner only, also after the store was closed, until they are removed", async () => {
      const open = await createStorage();
      const store = await open();
      await store.saveResponse(response("a"), 0);
      await store.saveResponse(response("b", { owner: "you" }), 0);
      await store.close();

      const again = await open();
      expect(await again.findResponses("me", "a", all, 0)).toEqual([response("a")]);
      expect(await again.findResponses("me", "b", all, 0)).toEqual([]);
      expect(await again.findResponses("me", "c", all, 0)).toEqual([]);
      expect(await again.removeResponse("me", "b")).toBe(false);
      expect(await again.removeResponse("me", "a")).toBe(true);
      expect(await again.removeResponse("me", "a")).toBe(false);
      expect(await again.findResponses("me", "a", all, 0)).toEqual([]);
    });

    test("come with those that they continue, the newest first, as far as asked for", async () => {
      const store = await (await createStorage())();
      const chain = [
        response("a"),
        response("b", { previous: "a" }),
        response("branch", { previous: "a" }),
        response("c", { previous: "b" }),
      ];
      for (const each of chain) await store.saveResponse(each, 0);
      const idsFrom = async (id: string, most = all) =>
        (await store.findResponses("me", id, most, 0)).map((each) => each.id);
      expect(await idsFrom("c")).toEqual(["c", "b", "a"]);
      expect(await idsFrom("branch")).toEqual(["branch", "a"]);
      expect(await idsFrom("c", { ...all, limit: 2 })).toEqual(["c", "b"]);
      expect(await idsFrom("c", { ...all, bytes: 10 })).toEqual(["c", "b"]);
      await store.removeResponse("me", "b");
      expect(await idsFrom("c")).toEqual(["c"]);
    });

    test("do not continue those of another owner", async () => {
      const store = await (await createStorage())();
      await store.saveResponse(response("a", { owner: "you" }), 0);
      await store.saveResponse(response("b", { previous: "a", expiresAt: 900 }), 0);
      const found = await store.findResponses("me", "b", all, 0);
      expect(found.map(({ id }) => id)).toEqual(["b"]);
      expect(await store.findResponses("you", "a", all, 500)).toEqual([]);
    });

    test("expire, but not before one that continues them", async () => {
      const store = await (await createStorage())();
      for (const id of ["a", "other"]) await store.saveResponse(response(id), 0);
      await store.saveResponse(response("b", { previous: "a", expiresAt: 200 }), 50);
      await store.saveResponse(response("c", { previous: "b", expiresAt: 150 }), 60);
      expect(await store.findResponses("me", "other", all, 99)).toEqual([response("other")]);
      expect(await store.findResponses("me", "other", all, 100)).toEqual([]);
      const found = await store.findResponses("me", "b", all, 199);
      expect(found.map(({ id, expiresAt }) => [id, expiresAt])).toEqual([
        ["b", 200],
        ["a", 200],
      ]);
      await store.saveResponse(response("d", { expiresAt: 900 }), 300);
      expect(await store.findResponses("me", "b", all, 0)).toEqual([]);
    });
  });
}
