import { expect, test } from "vitest";
import { UnsavedChats } from "../../src/chat/unsaved-chats.js";
import { chat } from "../store/contract/fixtures.js";
import { createInMemoryStorage, InMemoryStore } from "../store/in-memory-store.js";

/** A store that takes no chats while it is away. */
class AbsentStore extends InMemoryStore {
  isAway = true;

  override async saveChat(...args: Parameters<InMemoryStore["saveChat"]>): Promise<void> {
    if (this.isAway) throw new Error("away");
    await super.saveChat(...args);
  }
}

test("chats that the store did not take are stored later, as they were saved last", async () => {
  const store = new AbsentStore(createInMemoryStorage());
  const chats = new UnsavedChats(store);
  await expect(chats.save(chat("a", 100))).rejects.toThrow("away");
  await expect(chats.save(chat("a", 50))).rejects.toThrow("away");
  await expect(chats.save(chat("b", 200))).rejects.toThrow("away");
  await expect(chats.retry()).rejects.toThrow("away");
  store.isAway = false;
  await chats.save(chat("b", 300));
  await chats.retry();
  const due = await store.listDueChats(["me"], 1_000, 9);
  expect(due.map((each) => [each.chat, each.dueAt])).toEqual([
    ["a", 50],
    ["b", 300],
  ]);
  // Not again: a chat that was deleted since stays away.
  await store.removeChat("me", "a", 0);
  await chats.retry();
  expect(await store.findChat("me", "a")).toBeUndefined();
});
