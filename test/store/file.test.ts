import { mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { FileStore } from "../../src/store/file.js";

async function freshPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "moonbridge-store-")), "state.json");
}

const login = (n: number) => ({
  current: { accessToken: `access-${n}`, refreshToken: `refresh-${n}` },
  startedFrom: "x",
  savedAt: n,
});

test("what was saved is there after opening again, readable by its owner only", async () => {
  const path = await freshPath();
  const store = await FileStore.open(path);
  await store.saveCredentials("me", login(1));
  await store.addKey({ name: "first", sha256: "00" });

  const again = await FileStore.open(path);
  expect(await again.credentials("me")).toEqual(login(1));
  expect(await again.credentials("toString")).toBeUndefined();
  expect(await again.keys()).toEqual([{ name: "first", sha256: "00" }]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("many changes at once are all kept and leave no drafts behind", async () => {
  const path = await freshPath();
  const store = await FileStore.open(path);
  await Promise.all(Array.from({ length: 50 }, (_, n) => store.saveCredentials(`account-${n}`, login(n))));
  const again = await FileStore.open(path);
  for (let n = 0; n < 50; n++) expect(await again.credentials(`account-${n}`)).toEqual(login(n));
  expect(await readdir(dirname(path))).toEqual(["state.json"]);
});

test.each(["", "{", '{"version":1}', '{"version":2,"credentials":{},"keys":[]}', "[]"])(
  "a damaged file is an error that quotes nothing, and stays as it is: %s",
  async (content) => {
    const path = await freshPath();
    await writeFile(path, `${content} SECRET`);
    await expect(FileStore.open(path)).rejects.toThrow(/is damaged/);
    await expect(FileStore.open(path)).rejects.not.toThrow(/SECRET/);
    expect(await readFile(path, "utf8")).toBe(`${content} SECRET`);
  },
);

test("a folder that is a file is an error at once", async () => {
  const path = await freshPath();
  await writeFile(path, "");
  await expect(FileStore.open(join(path, "state.json"))).rejects.toThrow(/cannot be read|cannot be written/);
});
