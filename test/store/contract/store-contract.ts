import { expect, test } from "vitest";
import { testAccountNames } from "./account-names.js";
import { testCapabilities } from "./capabilities.js";
import { testChats } from "./chats.js";
import { testClaims } from "./claims.js";
import { testCredentials } from "./credentials.js";
import { testFiles } from "./files.js";
import { type CreateStorage, chat, openWithChats } from "./fixtures.js";
import { testJournal } from "./journal.js";
import { testKeys } from "./keys.js";
import { testNodes } from "./nodes.js";
import { testResponses } from "./responses.js";
import { testSessions } from "./sessions.js";
import { testStoreIndex } from "./store-index.js";
import { testTrimming } from "./trimming.js";

/** The tests that every implementation of `Store` (src/core/store.ts) must pass. */
export function testStore(createStorage: CreateStorage): void {
  testCredentials(createStorage);
  testAccountNames(createStorage);
  testKeys(createStorage);
  testChats(createStorage);
  testNodes(createStorage);
  testTrimming(createStorage);
  testClaims(createStorage);
  testFiles(createStorage);
  testResponses(createStorage);
  testJournal(createStorage);
  testSessions(createStorage);
  testCapabilities(createStorage);
  testStoreIndex(createStorage);

  test("a store can be closed twice, and rejects calls afterwards", async () => {
    const store = await openWithChats(createStorage, "a");
    await store.close();
    await store.close();
    await expect(store.countDueChats(1)).rejects.toThrow(/is closed/);
    await expect(store.saveChat(chat("b"))).rejects.toThrow(/is closed/);
    await expect(store.journal.findEntry("a")).rejects.toThrow(/is closed/);
  });
}
