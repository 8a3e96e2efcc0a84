import { describe, expect, test } from "vitest";
import {
  type CreateStorage,
  chat,
  claimOf,
  findIds,
  findNode,
  node,
  type OpenConversations,
  openWithChats,
  queries,
  saveNode,
} from "./fixtures.js";

/** The contract of stored conversation nodes. */
export function testNodes(createStorage: CreateStorage<OpenConversations>): void {
  describe("nodes", () => {
    test("are kept with all their fields across reopening", async () => {
      const open = await createStorage();
      const store = await open();
      await store.saveChat(chat("a"));
      const full = node("x", {
        parent: 7,
        paths: ["path-x", "other-path-x"],
        messages: ["m1", "m2", "m3"],
        answers: ["answer-x", "other-answer-x"],
        systemTexts: ["s1", "s2"],
        system: "exact",
        affinity: "session",
        toolState: '{"word":"7f3k"}',
      });
      const plain = node("y", { messages: [] });
      const ids = [await saveNode(store, "a", full), await saveNode(store, "a", plain)];
      await store.close();

      const again = await open();
      const at = { upstream: "me", chat: "a", scope: "s", end: ids[1] };
      expect(await findNode(again, ids[0] ?? 0, 99)).toEqual({
        id: ids[0],
        chat: at,
        hasChildren: false,
        ...full,
      });
      expect(await findNode(again, ids[1] ?? 0, 99)).toEqual({
        id: ids[1],
        chat: at,
        hasChildren: false,
        ...plain,
      });
      expect(await findNode(again, 99, 99)).toBeUndefined();
    });

    test("are found by either path, either answer, the conversation, and an answer within it", async () => {
      const store = await openWithChats(createStorage, "a", "b");
      const ids = [
        await saveNode(store, "a", node("x")),
        await saveNode(
          store,
          "a",
          node("1", { paths: ["?", "path-x"], answers: ["?", "answer-x"], conversation: "conversation-x" }),
        ),
        await saveNode(store, "b", node("2", { paths: ["path-x", "?"], answers: ["answer-x", "?"] })),
        await saveNode(store, "b", node("3", { conversation: "conversation-x" })),
        await saveNode(store, "b", node("4")),
      ];
      const [first = 0, second = 0, third = 0, fourth = 0] = ids;
      const found = await Promise.all(queries.map((query) => findIds(store, query)));
      expect(found).toEqual([
        [third, second, first],
        [third, second, first],
        [fourth, second, first],
        [second, first],
      ]);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      for (const query of queries) {
        expect(await findIds(store, query, 1)).toHaveLength(1);
        expect(await findIds(store, query, 0)).toEqual([]);
        const other =
          query.by === "conversation-answer" ? { ...query, answer: "!" } : { ...query, hash: "!" };
        expect(await findIds(store, other)).toEqual([]);
      }
    });

    test("count once where both forms are equal", async () => {
      const store = await openWithChats(createStorage, "a");
      const id = await saveNode(
        store,
        "a",
        node("x", { paths: ["path-x", "path-x"], answers: ["answer-x", "answer-x"] }),
      );
      for (const query of queries) expect(await findIds(store, query)).toEqual([id]);
    });

    test.each(queries)("by $by: at most the limit, the newest first", async (query) => {
      const store = await openWithChats(createStorage, "a", "b");
      const ids: number[] = [];
      for (let n = 0; n < 60; n++) {
        // The forms change places, so that the newest of both are to be merged.
        const [path, answer] =
          n % 3 === 0
            ? [
                ["path-x", "?"],
                ["answer-x", "?"],
              ]
            : [
                ["?", "path-x"],
                ["?", "answer-x"],
              ];
        const one = node(`${n}`, { paths: path, answers: answer, conversation: "conversation-x" });
        ids.push(await saveNode(store, n % 2 === 0 ? "a" : "b", one));
      }
      const found = await findIds(store, query, 17);
      expect(found).toHaveLength(17);
      expect(found).toEqual(found.toSorted((a, b) => b - a));
      // An answer that so many have identifies none of them, so any will do.
      if (query.by !== "answer") expect(found).toEqual(ids.toReversed().slice(0, 17));
      expect(await findIds(store, query, 60)).toEqual(ids.toReversed());
    });

    test("are known by any of their paths and answers", async () => {
      const store = await openWithChats(createStorage, "a");
      await saveNode(store, "a", node("x", { paths: ["p1", "p2"], answers: ["a1", "a2"], messages: ["m"] }));
      const known = await store.knownHashes(["p1", "p2", "a1", "a2", "a2", "m", "conversation-x", "?", ""]);
      expect([...known].sort()).toEqual(["a1", "a2", "p1", "p2"]);
      expect(await store.knownHashes([])).toEqual(new Set());
    });

    test("are the end of their chat once saved, and mark their parent", async () => {
      const store = await openWithChats(createStorage, "a", "b");
      const first = await saveNode(store, "a", node("1"));
      expect(await findNode(store, first, 0)).toMatchObject({ chat: { end: first }, hasChildren: false });
      const second = await saveNode(store, "a", node("2", { parent: first }));
      const other = await saveNode(store, "b", node("3", { parent: first }));
      expect(await findNode(store, first, 0)).toMatchObject({ chat: { end: second }, hasChildren: true });
      expect(await findNode(store, second, 0)).toMatchObject({ parent: first, hasChildren: false });
      expect((await findNode(store, other, 0))?.chat).toEqual({
        upstream: "me",
        chat: "b",
        scope: "s",
        end: other,
      });
    });

    test("are read back along their path, over chats, as far as they are stored", async () => {
      const store = await openWithChats(createStorage, "a", "b");
      const ids = [await saveNode(store, "a", node("1", { parent: 999 }))];
      for (const name of ["2", "3", "4"]) {
        const parent = ids[0] ?? 0;
        ids.unshift(await saveNode(store, name === "3" ? "b" : "a", node(name, { parent })));
        await saveNode(store, "b", node(`beside-${name}`, { parent }));
      }
      await store.detachNodes("me", "b", 0);
      const [last = 0] = ids;
      const path = await store.findPath(last, 9, 0);
      expect(path.map(({ id }) => id)).toEqual(ids);
      expect(path.map((each) => each.chat?.chat)).toEqual(["a", undefined, "a", "a"]);
      expect((await store.findPath(last, 2, 0)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect(await store.findPath(last, 0, 0)).toEqual([]);
      expect(await store.findPath(999, 9, 0)).toEqual([]);
    });

    test("are not saved for an unknown chat, not even in part", async () => {
      const store = await openWithChats(createStorage, "a");
      const parent = await saveNode(store, "a", node("1"));
      await store.saveNode(node("x", { parent }), { upstream: "me", chat: "b" });
      await store.saveNode(node("x", { parent }), { upstream: "you", chat: "a" });
      for (const query of queries) expect(await findIds(store, query)).toEqual([]);
      expect((await findNode(store, parent, 0))?.hasChildren).toBe(false);
    });

    test("are tombstones while their chat is due", async () => {
      const store = await openWithChats(createStorage, "a");
      const id = await saveNode(store, "a", node("x"));
      for (const query of queries) {
        expect((await store.findNodes(query, 1, 99))[0]?.chat).toEqual({
          upstream: "me",
          chat: "a",
          scope: "s",
          end: id,
        });
        const [due] = await store.findNodes(query, 1, 100);
        expect(due).toMatchObject({ id, answers: ["answer-x"] });
        expect(due).not.toHaveProperty("chat");
      }
      await store.postponeChat("me", "a", 200);
      expect((await findNode(store, id, 100))?.chat?.chat).toBe("a");
    });

    test.each(["detached", "removed with their chat"])("are tombstones for good once %s", async (how) => {
      const store = await openWithChats(createStorage, "a", "b");
      const ids = [await saveNode(store, "a", node("1")), await saveNode(store, "a", node("2"))];
      const other = await saveNode(store, "b", node("3"));
      if (how === "detached") await store.detachNodes("me", "a", 0);
      else await store.removeChat("me", "a", 0);
      for (const id of ids) {
        const tombstone = await findNode(store, id, 0);
        expect(tombstone).toMatchObject({ id, hasChildren: false });
        expect(tombstone).not.toHaveProperty("chat");
        expect(await store.claimChat({ ...claimOf(id), isLine: false })).toBe(false);
      }
      expect(await store.knownHashes(["path-1", "answer-2"])).toEqual(new Set(["path-1", "answer-2"]));
      expect((await findNode(store, other, 0))?.chat?.end).toBe(other);
      // The chat must still be deleted upstream if only its nodes are gone; a new node makes it no older node's chat.
      expect(await store.countDueChats(100)).toBe(how === "detached" ? 2 : 1);
      await store.saveChat(chat("a"));
      const next = await saveNode(store, "a", node("4"));
      expect((await findNode(store, next, 0))?.chat).toEqual({
        upstream: "me",
        chat: "a",
        scope: "s",
        end: next,
      });
      expect(await findNode(store, ids[1] ?? 0, 0)).not.toHaveProperty("chat");
    });
  });
}
