import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type CopiedPart, copyStore } from "../../../src/admin/store-copy/copy-store.js";
import type { Store } from "../../../src/core/store.js";
import { freshPath, openStore } from "../../store/sqlite/temporary-database.js";
import { contentsOf, fillStore } from "./store-contents.js";

async function copyAll(from: Store, to: Store): Promise<CopiedPart[]> {
  const parts: CopiedPart[] = [];
  for await (const part of copyStore(from, to)) parts.push(part);
  return parts;
}

test("a copy has all that the store has, and as much of each part", async () => {
  const [from, to] = [await openStore(await freshPath()), await openStore(await freshPath())];
  await fillStore(from, 30);
  const parts = await copyAll(from, to);
  expect(parts).toEqual([
    { part: "accounts", from: 2, to: 2 },
    { part: "keys", from: 2, to: 2 },
    { part: "capabilities", from: 2, to: 2 },
    { part: "files", from: 3, to: 3 },
    { part: "chats", from: 3, to: 3 },
    { part: "nodes", from: 27, to: 27 },
    { part: "responses", from: 2, to: 2 },
    { part: "requests", from: 700, to: 700 },
  ]);
  expect(await contentsOf(to)).toEqual(await contentsOf(from));
});

test("a copy that was interrupted again and again is the same in the end, and changes nothing that is there", async () => {
  const path = await freshPath();
  const from = await openStore(await freshPath());
  await fillStore(from, 300);
  let interruptions = 0;
  for (let isDone = false; !isDone; interruptions++) {
    const to = await openStore(path);
    const copying = copyAll(from, to).then(
      () => true,
      () => false,
    );
    await Promise.race([copying, sleep(20 + 15 * interruptions)]);
    await to.close();
    isDone = await copying;
  }
  expect(interruptions).toBeGreaterThan(2);
  const to = await openStore(path);
  const contents = await contentsOf(from);
  expect(await contentsOf(to)).toEqual(contents);
  await copyAll(from, to);
  expect(await contentsOf(to)).toEqual(contents);
});

test("a store with conversations of its own is not copied to", async () => {
  const [from, to] = [await openStore(await freshPath()), await openStore(await freshPath())];
  await fillStore(from, 3);
  await to.getOrCreateSecret("conversations", () => "another");
  await expect(copyAll(from, to)).rejects.toThrow(/has conversations of its own/);
  expect(await to.listKeys()).toEqual([]);
});
