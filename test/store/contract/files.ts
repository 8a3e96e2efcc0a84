import { describe, expect, test } from "vitest";
import type { FileSelection, StoredFile } from "../../../src/core/store.js";
import type { CreateStorage } from "./fixtures.js";

const file = (id: string, fields: Partial<StoredFile> = {}): StoredFile => ({
  id,
  owner: "me",
  name: `${id}.txt`,
  mediaType: "text/plain",
  purpose: "assistants",
  size: 10,
  digest: `digest-${id}`,
  createdAt: 1,
  ...fields,
});

/** The contract of files that clients uploaded, and of those that were uploaded to upstreams. */
export function testFiles(createStorage: CreateStorage): void {
  describe("files of clients", () => {
    test("are found by their owner only, also after the store was closed, until they are removed", async () => {
      const open = await createStorage();
      const store = await open();
      for (const one of [file("a"), file("b", { owner: "you", size: 7 })]) await store.saveFile(one);
      expect(await store.countFiles()).toEqual({ files: 2, bytes: 17 });
      await store.close();

      const again = await open();
      expect(await again.findFile("me", "a")).toEqual(file("a"));
      expect(await again.findFile("me", "b")).toBeUndefined();
      expect(await again.findFile("me", "c")).toBeUndefined();
      await again.removeFile("me", "b");
      await again.removeFile("me", "a");
      expect(await again.findFile("me", "a")).toBeUndefined();
      expect(await again.countFiles()).toEqual({ files: 1, bytes: 7 });
    });

    test("count as none in an empty store", async () => {
      const open = await createStorage();
      expect(await (await open()).countFiles()).toEqual({ files: 0, bytes: 0 });
    });

    test.each<[string, Partial<FileSelection>, string[]]>([
      ["all, oldest first", {}, ["a", "b", "c", "d"]],
      ["newest first", { newestFirst: true }, ["d", "c", "b", "a"]],
      ["a page", { limit: 2 }, ["a", "b"]],
      ["the page after", { limit: 2, after: "b" }, ["c", "d"]],
      ["the page after, newest first", { limit: 2, after: "c", newestFirst: true }, ["b", "a"]],
      ["after the last", { after: "d" }, []],
      ["after an unknown one", { after: "?" }, ["a", "b", "c", "d"]],
      ["after an unknown one, newest first", { after: "?", newestFirst: true }, ["d", "c", "b", "a"]],
      ["after another owner's", { after: "other" }, ["a", "b", "c", "d"]],
      ["of a purpose", { purpose: "vision" }, ["b", "d"]],
      ["of a purpose, after one of another purpose", { purpose: "vision", after: "c" }, ["d"]],
      ["none of a purpose", { purpose: "?" }, []],
    ])("are listed: %s", async (_, selection, expected) => {
      const open = await createStorage();
      const store = await open();
      for (const id of ["a", "b", "c", "d"]) {
        await store.saveFile(file(id, id === "b" || id === "d" ? { purpose: "vision" } : {}));
        if (id === "b") await store.saveFile(file("other", { owner: "you" }));
      }
      const all = { limit: 100, after: undefined, purpose: undefined, newestFirst: false };
      const files = await store.listFiles("me", { ...all, ...selection });
      expect(files.map(({ id }) => id)).toEqual(expected);
    });
  });

  test("files of upstreams are found by scope and digest, if they were uploaded after a time", async () => {
    const open = await createStorage();
    const store = await open();
    await store.saveUploadedFile("scope", "digest", "id-1", 1_000);
    await store.saveUploadedFile("other scope", "digest", "id-2", 1_000);
    await store.close();

    const again = await open();
    expect(await again.findUploadedFile("scope", "digest", 999)).toBe("id-1");
    expect(await again.findUploadedFile("scope", "digest", 1_000)).toBeUndefined();
    expect(await again.findUploadedFile("other scope", "digest", 0)).toBe("id-2");
    expect(await again.findUploadedFile("scope", "other digest", 0)).toBeUndefined();
    await again.saveUploadedFile("scope", "digest", "id-3", 2_000);
    expect(await again.findUploadedFile("scope", "digest", 1_000)).toBe("id-3");
  });
}
