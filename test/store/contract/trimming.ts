import { describe, expect, test } from "vitest";
import type { ConversationStore } from "../../../src/core/store.js";
import {
  type CreateStorage,
  chat,
  findIds,
  findNode,
  node,
  type OpenConversations,
  openWithChats,
  saveNode,
} from "./fixtures.js";

/** The contract of removing old conversation nodes. */
export function testTrimming(createStorage: CreateStorage<OpenConversations>): void {
  describe("nodes", () => {
    test("are trimmed: tombstones by the time since their chat ended, and the oldest beyond the limit", async () => {
      const store = await openWithChats(createStorage, "a", "b", "c", "d");
      const all = { by: "conversation", hash: "c" } as const;
      const trim = (nodes: number, tombstonesBefore = 0) =>
        store.trimNodes({ nodes, forgottenAnswers: 1_000, tombstonesBefore }, 0);
      const ids: number[] = [];
      for (let n = 0; n < 900; n++) {
        const name = ["a", "b", "c"][n % 3] ?? "";
        ids.push(
          await saveNode(store, n >= 600 && name === "a" ? "d" : name, node(`${n}`, { conversation: "c" })),
        );
      }
      await store.detachNodes("me", "a", 5);
      await store.removeChat("me", "d", 6);
      // Chats that are due or claimed do not make their nodes tombstones that may go.
      await store.saveChat(chat("b", 0));
      await trim(900, 5);
      expect(await findIds(store, all, 1_000)).toHaveLength(900);
      await trim(900, 6);
      const kept = ids.filter((_, n) => n % 3 !== 0 || n >= 600);
      expect(await findIds(store, all, 1_000)).toEqual(kept.toReversed());
      await trim(kept.length);
      expect(await findIds(store, all, 1_000)).toEqual(kept.toReversed());
      await trim(10);
      expect(await findIds(store, all, 1_000)).toEqual(ids.slice(-10).toReversed());
      // What is left is as it was.
      expect((await findNode(store, ids.at(-1) ?? 0, 0))?.chat).toEqual({
        upstream: "me",
        chat: "c",
        scope: "s",
        end: ids.at(-1),
      });
      expect((await findNode(store, ids.at(-3) ?? 0, 0))?.chat).toBeUndefined();
      await trim(0);
      expect(await findIds(store, all, 1_000)).toEqual([]);
      expect(await store.countDueChats(100)).toBe(3);
    });

    test("leave their answers behind where the store was full, by session, for as long as tombstones are kept", async () => {
      const open = await createStorage();
      const store = await open();
      await store.saveChat(chat("a"));
      const trim = (now: number, { nodes = 0, forgottenAnswers = 1_000, tombstonesBefore = 0 } = {}) =>
        store.trimNodes({ nodes, forgottenAnswers, tombstonesBefore }, now);
      const forgotten = (store: ConversationStore, affinity?: string) =>
        Promise.all(["1", "2", "3", "4"].map((name) => store.isAnswerForgotten(`answer-${name}`, affinity)));
      await saveNode(store, "a", node("1"));
      await saveNode(store, "a", node("2", { affinity: "session", answers: ["answer-2", "answer-3"] }));
      await saveNode(store, "a", node("4"));
      expect(await forgotten(store)).toEqual([false, false, false, false]);
      await trim(5, { nodes: 1 });
      expect(await forgotten(store)).toEqual([true, true, true, false]);
      expect(await forgotten(store, "session")).toEqual([false, true, true, false]);
      expect(await forgotten(store, "another")).toEqual([false, false, false, false]);
      await store.close();

      const again = await open();
      await again.trimNodes({ nodes: 0, forgottenAnswers: 1_000, tombstonesBefore: 5 }, 6);
      expect(await forgotten(again)).toEqual([true, true, true, true]);
      await again.trimNodes({ nodes: 0, forgottenAnswers: 1_000, tombstonesBefore: 6 }, 6);
      expect(await forgotten(again)).toEqual([false, false, false, true]);
      // Forgotten again, an answer is kept anew; beyond the limit the oldest go.
      await saveNode(again, "a", node("1"));
      await again.trimNodes({ nodes: 0, forgottenAnswers: 1_000, tombstonesBefore: 0 }, 7);
      await saveNode(again, "a", node("4"));
      await again.trimNodes({ nodes: 0, forgottenAnswers: 1, tombstonesBefore: 0 }, 8);
      expect(await forgotten(again)).toEqual([false, false, false, true]);
    });

    test("are not left behind where a tombstone was only too old", async () => {
      const store = await openWithChats(createStorage, "a");
      await saveNode(store, "a", node("1"));
      await store.removeChat("me", "a", 1);
      await store.trimNodes({ nodes: 10, forgottenAnswers: 10, tombstonesBefore: 2 }, 2);
      expect(await store.knownHashes(["answer-1"])).toEqual(new Set());
      expect(await store.isAnswerForgotten("answer-1", undefined)).toBe(false);
    });
  });
}
