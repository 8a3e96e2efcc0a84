import { randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import Database from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../../simulator/index.js";
import { CredentialCipher } from "../../../src/store/encryption.js";
import { StoreError } from "../../../src/store/errors.js";
import { SqliteStore } from "../../../src/store/sqlite/store.js";
import { freshPath } from "./temporary-database.js";

const [key, other] = [randomBytes(32), randomBytes(32)];

describe("the encrypted database", () => {
  async function open(path: string, ...keys: Buffer[]): Promise<SqliteStore> {
    const store = await SqliteStore.open(path, keys);
    onTestFinished(() => store.close());
    return store;
  }

  /** Credentials with realistic tokens. */
  async function createCredentials() {
    const simulator = await startSimulator();
    await simulator.close();
    return { current: simulator.issue(), previous: simulator.issue(), startedFrom: "x", savedAt: 1 };
  }

  /** Contents of the database and its -wal and -shm files. */
  async function readContents(path: string): Promise<string> {
    const names = await readdir(dirname(path));
    const contents = await Promise.all(names.map((name) => readFile(join(dirname(path), name), "latin1")));
    return contents.join("\n");
  }

  function readRows(path: string): Map<unknown, unknown> {
    const database = new Database(path);
    const found = database.prepare("SELECT account, value FROM credentials").raw().all();
    database.close();
    return new Map(found.flatMap((row) => (Array.isArray(row) ? [[row[0], row[1]] as const] : [])));
  }

  function writeRow(path: string, account: string, value: unknown): void {
    const database = new Database(path);
    database.prepare("INSERT OR REPLACE INTO credentials (account, value) VALUES (?, ?)").run(account, value);
    database.close();
  }

  const entryOf = (id: string) => ({
    ...{
      id,
      endedAt: 1,
      duration: 1,
      method: "POST",
      route: "/v1/chat/completions",
      status: 200,
      attempts: 1,
    },
  });

  /** Beginning of every token used here; a shorter string could appear in ciphertext by chance. */
  const jwt = "eyJhbGciOiJIUzUxMiI";

  test("never contains a token in plain text in any of its files, all of which have mode 0600", async () => {
    const path = await freshPath();
    const store = await open(path, key);
    for (let n = 0; n < 20; n++) {
      const saved = await createCredentials();
      await store.saveCredentials("me", saved);
      expect(await store.findCredentials("me")).toEqual(saved);
    }
    expect(await readContents(path)).not.toContain(jwt);
    for (const name of await readdir(dirname(path)))
      expect((await stat(join(dirname(path), name))).mode & 0o777).toBe(0o600);
    await store.close();
    expect(await readContents(path)).not.toContain(jwt);
  });

  test("encrypts plain-text credentials at the first start with a key, and leaves no trace of them", async () => {
    const path = await freshPath();
    const plain = await open(path);
    const saved = await createCredentials();
    for (let n = 0; n < 5; n++) await plain.saveCredentials(`account-${n}`, saved);
    await plain.saveCredentials("account-0", await createCredentials());
    expect(await readContents(path)).toContain(jwt);
    await plain.close();

    const encrypted = await open(path, key);
    expect(await readContents(path)).not.toContain(jwt);
    expect(await encrypted.findCredentials("account-1")).toEqual(saved);
  });

  test("encrypts everything with a new key when opened with both keys once", async () => {
    const path = await freshPath();
    const saved = await createCredentials();
    const before = await open(path, other);
    await before.saveCredentials("me", saved);
    await before.saveCredentials("you", saved);
    await before.close();

    const both = await open(path, key, other);
    expect(await both.findCredentials("me")).toEqual(saved);
    await both.close();
    const after = await open(path, key);
    expect(await after.findCredentials("you")).toEqual(saved);
    await after.close();
    await expect(SqliteStore.open(path, [other])).rejects.toThrow(/is not the key/);
  });

  test.each<[string, Buffer[], RegExp]>([
    ["without a key", [], /no key to open them. Set MOONBRIDGE_ENCRYPTION_KEY/],
    ["with a wrong key", [other], /is not the key that it was sealed with/],
  ])("refuses to open %s and overwrites nothing", async (_, keys, message) => {
    const path = await freshPath();
    const right = await open(path, key);
    await right.saveCredentials("me", await createCredentials());
    await right.close();
    const before = readRows(path);

    await expect(SqliteStore.open(path, keys)).rejects.toThrow(StoreError);
    await expect(SqliteStore.open(path, keys)).rejects.toThrow(message);
    expect(readRows(path)).toEqual(before);
  });

  test("does not let a process without the key overwrite rows that another process has encrypted", async () => {
    const path = await freshPath();
    const plain = await open(path);
    await plain.saveCredentials("me", await createCredentials());
    const encrypted = await open(path, key);
    const before = readRows(path);
    await expect(plain.saveCredentials("me", await createCredentials())).rejects.toThrow(StoreError);
    await expect(plain.findCredentials("me")).rejects.toThrow(/no key/);
    expect(readRows(path)).toEqual(before);
    expect(await encrypted.findCredentials("me")).toBeDefined();
  });

  test("does not decrypt swapped rows", async () => {
    const path = await freshPath();
    const store = await open(path, key);
    await store.saveCredentials("me", await createCredentials());
    await store.saveCredentials("you", await createCredentials());
    const [mine, yours] = [readRows(path).get("me"), readRows(path).get("you")];
    writeRow(path, "me", yours);
    writeRow(path, "you", mine);
    await expect(store.findCredentials("me")).rejects.toThrow(StoreError);
    await expect(store.findCredentials("you")).rejects.toThrow(StoreError);
    await expect(SqliteStore.open(path, [key])).rejects.toThrow(/the database was changed/);
    expect(readRows(path)).toEqual(
      new Map([
        ["me", yours],
        ["you", mine],
      ]),
    );
  });

  test("never contains the texts of a request in plain text, and has none without the key that encrypted them", async () => {
    const path = await freshPath();
    const texts = { prompt: "CANARY", promptLength: 6, earlier: 0, answer: "CANARY", answerLength: 6 };
    const plain = await open(path);
    await plain.journal.addEntries([{ entry: { ...entryOf("a"), texts }, day: "2026-01-01" }]);
    expect((await plain.journal.findEntry("a"))?.texts).toEqual(texts);
    await plain.close();
    // Texts from before the store had a key are removed.
    const store = await open(path, key);
    expect(await store.journal.findEntry("a")).toEqual(entryOf("a"));
    await store.journal.addEntries([{ entry: { ...entryOf("b"), texts }, day: "2026-01-01" }]);
    expect((await store.journal.findEntry("b"))?.texts).toEqual(texts);
    await store.close();
    expect(await readContents(path)).not.toContain("CANARY");
    for (const keys of [[], [other]])
      expect(await (await open(path, ...keys)).journal.findEntry("b")).toEqual(entryOf("b"));
    const rotated = await open(path, other, key);
    expect((await rotated.journal.findEntry("b"))?.texts).toEqual(texts);
  });

  test("contains no text of a request any more after a trim that keeps none", async () => {
    const path = await freshPath();
    const store = await open(path);
    const texts = {
      prompt: "CANARY",
      promptLength: 6,
      earlier: 0,
      answer: "CANARY".repeat(5_000),
      answerLength: 9,
    };
    const entries = ["a", "b", "c"].map((id) => ({ entry: { ...entryOf(id), texts }, day: "2026-01-01" }));
    await store.journal.addEntries(entries);
    expect(await readContents(path)).toContain("CANARY");
    await store.journal.trimEntries({ rows: 10, before: 0, day: "2026-01-01", keepTexts: false });
    expect(await readContents(path)).not.toContain("CANARY");
  });

  test("changes no row if one of them cannot be decrypted", async () => {
    const path = await freshPath();
    const plain = await open(path);
    await plain.saveCredentials("a", await createCredentials());
    await plain.saveCredentials("c", await createCredentials());
    await plain.close();
    writeRow(path, "b", new CredentialCipher([other]).encrypt("{}", "credentials/b"));
    const before = readRows(path);
    await expect(SqliteStore.open(path, [key])).rejects.toThrow(StoreError);
    expect(readRows(path)).toEqual(before);
  });
});
