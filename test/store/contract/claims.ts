import { describe, expect, test } from "vitest";
import {
  type CreateStorage,
  chat,
  claimOf,
  findNode,
  lasting,
  node,
  type OpenConversations,
  openWithChats,
  over,
  saveNode,
} from "./fixtures.js";

const ownerOf = (owner: string) => ({ upstream: "me", chat: "a", owner });

/** The contract of the exclusive use of a chat by one turn. */
export function testClaims(createStorage: CreateStorage<OpenConversations>): void {
  describe("claims", () => {
    test("give a line to one turn, at its end only, and take its end away until they end", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      await mine.saveChat(chat("a"));
      const [first, second] = [await saveNode(mine, "a", node("1")), await saveNode(mine, "a", node("2"))];
      expect(await yours.claimChat(claimOf(first))).toBe(false);
      expect(await mine.claimChat(claimOf(second, "me"))).toBe(true);
      expect(await yours.claimChat(claimOf(second, "you"))).toBe(false);
      expect(await mine.claimChat(claimOf(second, "me"))).toBe(false);
      for (const id of [first, second])
        expect((await findNode(yours, id, 49))?.chat).toEqual({
          upstream: "me",
          chat: "a",
          scope: "s",
          answering: "conversation of me",
        });
    });

    test("give a tree to one turn, after any of its nodes, and take its end away, too", async () => {
      const store = await openWithChats(createStorage, "a");
      const [first, second] = [await saveNode(store, "a", node("1")), await saveNode(store, "a", node("2"))];
      expect(await store.claimChat({ ...claimOf(first), isLine: false })).toBe(true);
      for (const id of [first, second]) {
        expect(await store.claimChat({ ...claimOf(id, "you"), isLine: false })).toBe(false);
        expect((await findNode(store, id, 0))?.chat).toEqual({
          upstream: "me",
          chat: "a",
          scope: "s",
          answering: "conversation of me",
        });
      }
    });

    test.each([true, false])("do not exist for chats that are due or unknown (line: %s)", async (isLine) => {
      const store = await openWithChats(createStorage, "a");
      const id = await saveNode(store, "a", node("1"));
      expect(await store.claimChat({ ...claimOf(id), isLine, now: 100 })).toBe(false);
      expect(await store.claimChat({ ...claimOf(id + 1), isLine })).toBe(false);
      expect(await store.claimChat({ ...claimOf(id), isLine, now: 99 })).toBe(true);
    });

    test("set when their chat is due, also after failed deletions", async () => {
      const store = await openWithChats(createStorage, "a");
      const id = await saveNode(store, "a", node("1"));
      await store.postponeChat("me", "a", 90);
      await store.claimChat({ ...claimOf(id), dueAt: 200 });
      await store.claimChat({ ...claimOf(id, "you"), dueAt: 300 });
      expect(await store.findChat("me", "a")).toEqual({ ...chat("a", 200), attempts: 0 });
      expect(await store.listDueChats(["me"], 199, 1)).toEqual([]);
      expect(await store.countDueChats(200)).toBe(1);
    });

    test("of a leaf are refused once another node continues after it", async () => {
      const store = await openWithChats(createStorage, "a", "b");
      const first = await saveNode(store, "a", node("1"));
      const leaf = { ...claimOf(first), isLine: false, isLeaf: true };
      expect(await store.claimChat(leaf)).toBe(true);
      const second = await saveNode(store, "a", node("2", { parent: first }));
      expect(await store.claimChat(leaf)).toBe(false);
      expect((await findNode(store, second, 0))?.chat?.end).toBe(second);
      expect(await store.claimChat({ ...leaf, isLeaf: false })).toBe(true);
    });

    test("of a killed process expire: a tree can be continued then, a line has no end", async () => {
      const store = await openWithChats(createStorage, "a", "b");
      const [line, tree] = [await saveNode(store, "a", node("1")), await saveNode(store, "b", node("2"))];
      expect(await store.claimChat({ ...claimOf(line, "killed"), until: over })).toBe(true);
      expect(await store.claimChat({ ...claimOf(tree, "killed"), isLine: false, until: over })).toBe(true);
      expect((await findNode(store, line, 0))?.chat).toEqual({ upstream: "me", chat: "a", scope: "s" });
      for (const [isLine, id] of [[true, line] as const, [false, tree] as const])
        expect(await store.claimChat({ ...claimOf(id), isLine })).toBe(!isLine);
      // The one before has nothing to release any more.
      await store.releaseChat({ ...ownerOf("killed"), chat: "b" });
      expect(await store.claimChat({ ...claimOf(tree, "third"), isLine: false })).toBe(false);
    });

    test("released with an end restore it, so that the next turn can go on there", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      await mine.saveChat(chat("a"));
      const id = await saveNode(mine, "a", node("1"));
      await mine.claimChat(claimOf(id, "me"));
      await mine.releaseChat(ownerOf("me"), id);
      expect((await findNode(yours, id, 0))?.chat).toEqual({
        upstream: "me",
        chat: "a",
        scope: "s",
        end: id,
      });
      expect(await yours.claimChat(claimOf(id, "you"))).toBe(true);
    });

    test("released without an end leave the chat without one, so that only a tree can go on", async () => {
      const store = await openWithChats(createStorage, "a", "b");
      const [line, tree] = [await saveNode(store, "a", node("1")), await saveNode(store, "b", node("2"))];
      await store.claimChat(claimOf(line, "me"));
      await store.claimChat({ ...claimOf(tree, "me"), isLine: false });
      await store.releaseChat(ownerOf("me"));
      await store.releaseChat({ ...ownerOf("me"), chat: "b" });
      expect((await findNode(store, line, 0))?.chat).toEqual({ upstream: "me", chat: "a", scope: "s" });
      expect((await findNode(store, tree, 0))?.chat).toEqual({ upstream: "me", chat: "b", scope: "s" });
      expect(await store.claimChat(claimOf(tree, "you"))).toBe(false);
      expect(await store.claimChat(claimOf(line, "you"))).toBe(false);
      expect(await store.claimChat({ ...claimOf(tree, "you"), isLine: false })).toBe(true);
    });

    test("of another owner are neither released nor extended", async () => {
      const store = await openWithChats(createStorage, "a");
      const id = await saveNode(store, "a", node("1"));
      await store.claimChat(claimOf(id, "me"));
      await store.releaseChat(ownerOf("you"), id);
      await store.extendClaim(ownerOf("you"), over);
      await store.releaseChat({ ...ownerOf("me"), upstream: "you" }, id);
      expect(await store.claimChat(claimOf(id, "you"))).toBe(false);
      expect((await findNode(store, id, 49))?.chat).toEqual({
        upstream: "me",
        chat: "a",
        scope: "s",
        answering: "conversation of me",
      });
    });

    test("last longer when extended, and not again once ended", async () => {
      const store = await openWithChats(createStorage, "a");
      const id = await saveNode(store, "a", node("1"));
      const tree = { ...claimOf(id, "me"), isLine: false };
      await store.claimChat({ ...tree, until: over });
      await store.extendClaim(ownerOf("me"), lasting + 0.5);
      expect(await store.claimChat({ ...tree, owner: "you" })).toBe(false);
      await store.extendClaim(ownerOf("me"), over);
      expect((await findNode(store, id, 0))?.chat).toEqual({ upstream: "me", chat: "a", scope: "s" });
      await store.releaseChat(ownerOf("me"));
      await store.extendClaim(ownerOf("me"), lasting);
      expect(await store.claimChat({ ...tree, owner: "you" })).toBe(true);
    });

    test("end when the turn is saved, which is the chat's new end", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      await mine.saveChat(chat("a"));
      const first = await saveNode(mine, "a", node("1"));
      await mine.claimChat(claimOf(first, "me"));
      const second = await saveNode(mine, "a", node("2", { parent: first }));
      // Late, from the turn that is over.
      await mine.releaseChat(ownerOf("me"), first);
      await mine.extendClaim(ownerOf("me"), lasting);
      expect((await findNode(yours, second, 0))?.chat).toEqual({
        upstream: "me",
        chat: "a",
        scope: "s",
        end: second,
      });
      expect(await yours.claimChat(claimOf(first, "you"))).toBe(false);
      expect(await yours.claimChat(claimOf(second, "you"))).toBe(true);
    });
  });
}
