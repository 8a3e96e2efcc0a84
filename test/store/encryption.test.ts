import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import Database from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { Seal } from "../../src/store/encryption.js";
import { SqliteStore, StoreError } from "../../src/store/sqlite/store.js";

const [key, other] = [randomBytes(32), randomBytes(32)];

describe("a sealed value", () => {
  test("opens to what it was, and never looks the same twice", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, name) => {
        const seal = new Seal([key]);
        const sealed = seal.seal(text, name);
        expect(seal.open(sealed, name)).toEqual({ text, stale: false });
        expect(seal.seal(text, name)).not.toBe(sealed);
        if (text.length > 3) expect(sealed).not.toContain(text);
      }),
    );
  });

  test("does not open when any one of its characters is another", () => {
    const seal = new Seal([key]);
    const plain = JSON.stringify({ current: { accessToken: "a", refreshToken: "r" }, savedAt: 1 });
    // Lengths that leave 0, 2 and 4 unused bits in the last character of base64.
    for (const text of [plain, `${plain} `, `${plain}  `]) {
      const sealed = seal.seal(text, "me");
      for (let at = 0; at < sealed.length; at++) {
        for (const bit of [1, 2, 4, 8, 16, 32, 64]) {
          const tampered =
            sealed.slice(0, at) + String.fromCharCode(sealed.charCodeAt(at) ^ bit) + sealed.slice(at + 1);
          const opened = () => seal.open(tampered, "me").text;
          // Without its mark it is no sealed value any more, and no login either.
          if (at < "sealed-1:".length) expect(() => JSON.parse(opened())).toThrow();
          else expect(opened).toThrow(StoreError);
        }
      }
    }
  });

  test.each<[string, (sealed: string) => string]>([
    ["cut short", (sealed) => sealed.slice(0, -1)],
    ["cut to its mark", () => "sealed-1:"],
    ["lengthened", (sealed) => `${sealed}A`],
    ["padded", (sealed) => `${sealed}=`],
    ["with a space in it", (sealed) => `${sealed.slice(0, 30)} ${sealed.slice(30)}`],
  ])("does not open %s", (_, tamper) => {
    const seal = new Seal([key]);
    expect(() => seal.open(tamper(seal.seal("text", "me")), "me")).toThrow(StoreError);
  });

  test("does not open under another name or with another key", () => {
    const sealed = new Seal([key]).seal("text", "me");
    expect(() => new Seal([key]).open(sealed, "you")).toThrow(
      /is not the key .* or the database was changed/,
    );
    expect(() => new Seal([other]).open(sealed, "me")).toThrow(/is not the key/);
    expect(() => new Seal([]).open(sealed, "me")).toThrow(/Set MOONBRIDGE_ENCRYPTION_KEY/);
  });
});

describe("the database", () => {
  async function freshPath(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "moonbridge-seal-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return join(folder, "moonbridge.db");
  }

  async function open(path: string, ...keys: Buffer[]): Promise<SqliteStore> {
    const store = await SqliteStore.open(path, keys);
    onTestFinished(() => store.close());
    return store;
  }

  /** A login with tokens as Kimi makes them. */
  async function login() {
    const simulator = await startSimulator();
    await simulator.close();
    return { current: simulator.issue(), previous: simulator.issue(), startedFrom: "x", savedAt: 1 };
  }

  /** All bytes of the database and the files beside it. */
  async function bytes(path: string): Promise<string> {
    const names = await readdir(dirname(path));
    const contents = await Promise.all(names.map((name) => readFile(join(dirname(path), name), "latin1")));
    return contents.join("\n");
  }

  function rows(path: string): Map<unknown, unknown> {
    const database = new Database(path);
    const found = database.prepare("SELECT account, value FROM credentials").raw().all();
    database.close();
    return new Map(found.flatMap((row) => (Array.isArray(row) ? [[row[0], row[1]] as const] : [])));
  }

  function put(path: string, account: string, value: unknown): void {
    const database = new Database(path);
    database.prepare("INSERT OR REPLACE INTO credentials VALUES (?, ?)").run(account, value);
    database.close();
  }

  /** How every token of ours begins; anything shorter turns up by chance in what is sealed. */
  const jwt = "eyJhbGciOiJIUzUxMiI";

  test("never holds a token in clear, in none of its files, while it runs and after; all are 0600", async () => {
    const path = await freshPath();
    const store = await open(path, key);
    for (let n = 0; n < 20; n++) {
      const saved = await login();
      await store.saveCredentials("me", saved);
      expect(await store.credentials("me")).toEqual(saved);
    }
    expect(await bytes(path)).not.toContain(jwt);
    for (const name of await readdir(dirname(path)))
      expect((await stat(join(dirname(path), name))).mode & 0o777).toBe(0o600);
    await store.close();
    expect(await bytes(path)).not.toContain(jwt);
  });

  test("what was in clear before is sealed at the first start with a key, and leaves no trace", async () => {
    const path = await freshPath();
    const plain = await open(path);
    const saved = await login();
    for (let n = 0; n < 5; n++) await plain.saveCredentials(`account-${n}`, saved);
    await plain.saveCredentials("account-0", await login());
    expect(await bytes(path)).toContain(jwt);
    await plain.close();

    const sealed = await open(path, key);
    expect(await bytes(path)).not.toContain(jwt);
    expect(await sealed.credentials("account-1")).toEqual(saved);
  });

  test("a key is changed by giving both once; then the new one alone does", async () => {
    const path = await freshPath();
    const saved = await login();
    const before = await open(path, other);
    await before.saveCredentials("me", saved);
    await before.saveCredentials("you", saved);
    await before.close();

    const both = await open(path, key, other);
    expect(await both.credentials("me")).toEqual(saved);
    await both.close();
    const after = await open(path, key);
    expect(await after.credentials("you")).toEqual(saved);
    await after.close();
    await expect(SqliteStore.open(path, [other])).rejects.toThrow(/is not the key/);
  });

  test.each<[string, Buffer[], RegExp]>([
    ["without the key", [], /no key to open them. Set MOONBRIDGE_ENCRYPTION_KEY/],
    ["with the wrong key", [other], /is not the key that it was sealed with/],
  ])("%s nothing opens, and nothing is written over", async (_, keys, message) => {
    const path = await freshPath();
    const right = await open(path, key);
    await right.saveCredentials("me", await login());
    await right.close();
    const before = rows(path);

    await expect(SqliteStore.open(path, keys)).rejects.toThrow(StoreError);
    await expect(SqliteStore.open(path, keys)).rejects.toThrow(message);
    expect(rows(path)).toEqual(before);
  });

  test("a process that runs without the key cannot write over what another has sealed meanwhile", async () => {
    const path = await freshPath();
    const plain = await open(path);
    await plain.saveCredentials("me", await login());
    const sealed = await open(path, key);
    const before = rows(path);
    await expect(plain.saveCredentials("me", await login())).rejects.toThrow(StoreError);
    await expect(plain.credentials("me")).rejects.toThrow(/no key/);
    expect(rows(path)).toEqual(before);
    expect(await sealed.credentials("me")).toBeDefined();
  });

  test("rows that changed places, and rows of another key among good ones, do not open", async () => {
    const path = await freshPath();
    const store = await open(path, key);
    await store.saveCredentials("me", await login());
    await store.saveCredentials("you", await login());
    const [mine, yours] = [rows(path).get("me"), rows(path).get("you")];
    put(path, "me", yours);
    put(path, "you", mine);
    await expect(store.credentials("me")).rejects.toThrow(StoreError);
    await expect(store.credentials("you")).rejects.toThrow(StoreError);
    await expect(SqliteStore.open(path, [key])).rejects.toThrow(/the database was changed/);
    expect(rows(path)).toEqual(
      new Map([
        ["me", yours],
        ["you", mine],
      ]),
    );
  });

  test("one row that cannot be opened keeps the others as they are", async () => {
    const path = await freshPath();
    const plain = await open(path);
    await plain.saveCredentials("a", await login());
    await plain.saveCredentials("c", await login());
    await plain.close();
    put(path, "b", new Seal([other]).seal("{}", "credentials/b"));
    const before = rows(path);
    await expect(SqliteStore.open(path, [key])).rejects.toThrow(StoreError);
    expect(rows(path)).toEqual(before);
  });
});
