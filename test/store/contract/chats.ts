import { describe, expect, test } from "vitest";
import type { ChatPage } from "../../../src/core/store.js";
import {
  type CreateStorage,
  chat,
  node,
  type OpenConversations,
  openWithChats,
  saveNode,
} from "./fixtures.js";

/** The contract of chats that are due for deletion upstream. */
export function testChats(createStorage: CreateStorage<OpenConversations>): void {
  describe("chats", () => {
    test("are listed page by page, those made last first, of one upstream or of all", async () => {
      const store = await openWithChats(createStorage, "a", "b", "c");
      await store.saveChat({ ...chat("d"), upstream: "you" });
      await saveNode(store, "b", node("1"));
      const names = ({ chats }: ChatPage) => chats.map((each) => each.chat);
      const first = await store.listChats({ limit: 2 });
      expect([names(first), first.total]).toEqual([["d", "c"], 4]);
      const second = await store.listChats({ limit: 2, before: first.next });
      expect(second).toEqual({
        chats: [
          { ...chat("b"), attempts: 0, turns: 1 },
          { ...chat("a"), attempts: 0, turns: 0 },
        ],
        total: 4,
        next: undefined,
      });
      const ofOne = await store.listChats({ upstream: "me", limit: 9 });
      expect([names(ofOne), ofOne.total]).toEqual([["c", "b", "a"], 3]);
      expect(await store.findChat("you", "d")).toEqual({ ...chat("d"), upstream: "you", attempts: 0 });
      expect(await store.findChat("me", "d")).toBeUndefined();
    });

    test("stay in the scope that saved them first", async () => {
      const store = await openWithChats(createStorage);
      await store.saveChat(chat("a", 100, "mine"));
      await store.saveChat(chat("a", 900, "yours"));
      expect(await store.listDueChats(["me"], 99, 2)).toEqual([]);
      expect(await store.listDueChats(["me"], 100, 2)).toEqual([{ ...chat("a", 100, "mine"), attempts: 0 }]);
    });

    test("are due from their time on, the longest overdue first, until used again or removed", async () => {
      const store = await openWithChats(createStorage);
      for (const one of [chat("c", 30), chat("a", 10), chat("b", 20)]) await store.saveChat(one);
      const due = async (now: number) =>
        (await store.listDueChats(["me", "you"], now, 2)).map((one) => one.chat);
      const attemptsOf = async (name: string) =>
        (await store.listDueChats(["me"], 100, 3)).find((one) => one.chat === name)?.attempts;
      expect(await due(5)).toEqual([]);
      expect(await due(30)).toEqual(["a", "b"]);
      expect(await store.countDueChats(30)).toBe(3);
      await store.postponeChat("me", "a", 40);
      await store.postponeChat("me", "a", 50);
      expect(await due(49)).toEqual(["b", "c"]);
      expect(await attemptsOf("a")).toBe(2);
      await store.saveChat(chat("a", 15));
      expect(await due(15)).toEqual(["a"]);
      expect(await attemptsOf("a")).toBe(0);
      await store.removeChat("me", "a", 0);
      expect(await due(100)).toEqual(["b", "c"]);
      expect(await store.listDueChats(["you"], 100, 2)).toEqual([]);
    });

    test("are all made due at once, but not those of other upstreams", async () => {
      const store = await openWithChats(createStorage);
      await store.saveChat(chat("a", 100));
      await store.saveChat(chat("b", 200));
      await store.saveChat({ ...chat("c", 200), upstream: "you" });
      await store.postponeChat("me", "b", 300);
      expect(await store.makeChatsDue(["me"], 10)).toBe(2);
      expect(await store.makeChatsDue(["me"], 10)).toBe(0);
      expect((await store.listDueChats(["me", "you"], 10, 5)).map((one) => [one.chat, one.attempts])).toEqual(
        [
          ["a", 0],
          ["b", 0],
        ],
      );
    });
  });
}
