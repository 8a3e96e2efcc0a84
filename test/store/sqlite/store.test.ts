import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import Database from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import type { StoredKey, ThreadStore } from "../../../src/core/store.js";
import { connect } from "../../../src/store/sqlite/database-file.js";
import { migrate, migrations, readPragma, readSchemaVersion } from "../../../src/store/sqlite/migrations.js";
import { SqliteStore, StoreError } from "../../../src/store/sqlite/store.js";
import { ReferenceThreadStore } from "../reference-thread-store.js";

const workerPath = new URL("../store-worker.mjs", import.meta.url).pathname;

async function freshPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "moonbridge-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "moonbridge.db");
}

async function open(path: string): Promise<SqliteStore> {
  const store = await SqliteStore.open(path);
  onTestFinished(() => store.close());
  return store;
}

/** Opens the file directly, bypassing the store. */
function openRaw(path: string): Database.Database {
  const database = new Database(path);
  onTestFinished(() => {
    database.close();
  });
  return database;
}

/** Starts another process; `shell` is run before it. */
function startWorker(command: "race" | "claim" | "write" | "open", path: string, shell = ":"): ChildProcess {
  const child = spawn("sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, workerPath, command, path]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** The lines that a process prints until it exits. */
async function outputLines(child: ChildProcess): Promise<string[]> {
  let output = "";
  child.stdout?.on("data", (data: Buffer) => {
    output += data;
  });
  await once(child, "close");
  return output.split("\n").slice(0, -1);
}

const credentialsOf = (n: number) => ({
  current: { accessToken: `access-${n}`, refreshToken: `refresh-${n}` },
  previous: { refreshToken: `refresh-${n - 1}` },
  startedFrom: "x",
  savedAt: n,
});
const key = (name: string, sha256: string): StoredKey => ({
  name,
  sha256,
  settings: { scopes: ["chat", "admin"] },
  createdAt: 1,
});
const restrictedKey: StoredKey = {
  name: "second",
  sha256: "01",
  settings: {
    scopes: ["chat"],
    models: ["kimi"],
    upstreams: ["me"],
    requestsPerMinute: 3,
    concurrency: 2,
    expires: 1_800_000_000_000,
    chats: "ephemeral",
    citations: "off",
  },
  createdAt: 2,
};
const chat = (name: string, dueAt: number, scope = "s") => ({ upstream: "me", chat: name, scope, dueAt });
const thread = (name: string, parent: string) => ({ upstream: "me", chat: name, parent, system: "y" });

describe("credentials, keys and locks", () => {
  test("keeps credentials and keys across reopening, in files readable by their owner only", async () => {
    const path = await freshPath();
    const store = await open(path);
    await store.saveCredentials("me", credentialsOf(1));
    await store.saveCredentials("me", credentialsOf(2));
    const pasted = {
      ...credentialsOf(3),
      site: { baseUrl: "https://www.kimi.ai", authUrl: "https://auth.kimi.ai" },
    };
    await store.saveCredentials("kimi", pasted);
    expect(await store.addKey(key("first", "00"))).toBe(true);
    expect(await store.addKey(restrictedKey)).toBe(true);
    for (const file of [path, `${path}-wal`, `${path}-shm`])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    await store.close();

    const again = await open(path);
    expect(await again.findCredentials("me")).toEqual(credentialsOf(2));
    expect(await again.findCredentials("kimi")).toEqual(pasted);
    expect(await again.findCredentials("toString")).toBeUndefined();
    expect(await again.listAccounts()).toEqual(["kimi", "me"]);
    expect(await again.listKeys()).toEqual([key("first", "00"), restrictedKey]);
  });

  test("finds keys by hash and name, rejects a second key of the same name, and removes keys", async () => {
    const path = await freshPath();
    const [store, other] = [await open(path), await open(path)];
    await store.addKey(key("first", "00"));
    await store.addKey(restrictedKey);
    expect(await other.findKeyByHash("01")).toEqual(restrictedKey);
    expect(await other.findKeyByName("second")).toEqual(restrictedKey);
    expect(await other.findKeyByHash("02")).toBeUndefined();
    expect(await other.findKeyByName("02")).toBeUndefined();
    expect(await other.addKey(key("second", "02"))).toBe(false);
    expect(await store.findKeyByHash("02")).toBeUndefined();
    expect(await other.removeKey("second")).toBe(true);
    expect(await other.removeKey("second")).toBe(false);
    expect(await store.findKeyByHash("01")).toBeUndefined();
    expect(await store.listKeys()).toEqual([key("first", "00")]);
  });

  test("looks keys up through an index", async () => {
    const path = await freshPath();
    await (await open(path)).close();
    for (const column of ["sha256", "name"]) {
      const plan = openRaw(path)
        .prepare(`EXPLAIN QUERY PLAN SELECT * FROM keys WHERE ${column} = 'x'`)
        .raw()
        .all();
      expect(JSON.stringify(plan)).toMatch(/SEARCH keys USING INDEX/);
    }
  });

  test("migrates keys of the first version with all scopes, and renames duplicates", async () => {
    const path = await freshPath();
    const database = openRaw(path);
    migrate(database, migrations.slice(0, 2));
    for (const sha256 of ["00", "01"])
      database.prepare("INSERT INTO keys (name, sha256) VALUES ('first', ?)").run(sha256);
    const store = await open(path);
    const settings = { scopes: ["chat", "admin"] };
    expect(await store.listKeys()).toEqual([
      { name: "first", sha256: "00", settings },
      { name: "first-2", sha256: "01", settings },
    ]);
  });

  test("generates a secret once for all processes", async () => {
    const path = await freshPath();
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(path)));
    const secrets = stores.map((store, n) => store.getOrCreateSecret("lock-a", () => `secret-${n}`));
    expect(new Set(await Promise.all(secrets)).size).toBe(1);
    expect(await (await open(path)).getOrCreateSecret("lock-a", () => "never")).toBe(await secrets[0]);
    expect(await stores[1]?.getOrCreateSecret("lock-b", () => "other")).toBe("other");
  });

  test("creates a missing folder, and makes a world-readable file private", async () => {
    const path = join(await freshPath(), "deeper", "moonbridge.db");
    await (await open(path)).close();
    const copy = `${path}.copy`;
    await copyFile(path, copy);
    await chmod(copy, 0o644);
    await open(copy);
    for (const file of [copy, `${copy}-wal`, `${copy}-shm`])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("syncs every write on the connection for credentials, and not on the one for conversations", async () => {
    const path = await freshPath();
    for (const [synchronous, level] of [["FULL", 2] as const, ["NORMAL", 1] as const]) {
      const database = connect(path, synchronous);
      expect(readPragma(database, "synchronous")).toBe(level);
      expect(readPragma(database, "journal_mode")).toBe("wal");
      database.close();
    }
  });

  test("gives a lock to one owner, who alone can extend and release it", async () => {
    const path = await freshPath();
    const [mine, yours] = [await open(path), await open(path)];
    const later = Date.now() + 60_000;
    expect(await mine.acquireLock("lock-a", "me", later)).toBe(true);
    expect(await mine.acquireLock("lock-a", "me", later + 1)).toBe(true);
    expect(await yours.acquireLock("lock-a", "you", later)).toBe(false);
    expect(await yours.acquireLock("lock-b", "you", later)).toBe(true);
    await yours.releaseLock("lock-a", "you");
    expect(await yours.acquireLock("lock-a", "you", later)).toBe(false);
    await mine.releaseLock("lock-a", "me");
    expect(await yours.acquireLock("lock-a", "you", later)).toBe(true);
  });

  test("gives an expired lock to the first to acquire it", async () => {
    const store = await open(await freshPath());
    await store.acquireLock("lock-a", "killed", Date.now() - 1);
    expect(await store.acquireLock("lock-a", "first", Date.now() + 60_000)).toBe(true);
    expect(await store.acquireLock("lock-a", "second", Date.now() + 60_000)).toBe(false);
    await store.releaseLock("lock-a", "killed");
    expect(await store.acquireLock("lock-a", "second", Date.now() + 60_000)).toBe(false);
  });

  test("never gives a lock to two of four processes that open a new file at once", async () => {
    const path = await freshPath();
    const reports = await Promise.all(
      Array.from({ length: 4 }, () => outputLines(startWorker("race", path))),
    );
    const lines = reports.flat();
    expect(new Set(lines)).toEqual(new Set(["alone", "refused"]));
    expect(lines.length).toBe(800);
  });
});

describe("chats and threads", () => {
  test("finds a thread by the first matching key until its chat is due", async () => {
    const path = await freshPath();
    const store = await open(path);
    await store.saveChat(chat("a", 100));
    await store.saveChat(chat("b", 200));
    await store.saveThread(["a1", "a1*"], thread("a", "1"));
    await store.saveThread(["b1"], thread("b", "1"));
    await store.saveThread(["b2"], thread("b", "2"));
    await store.close();

    const again = await open(path);
    expect(await again.findThread(["?", "a1*", "b1"], 99)).toEqual({ key: "a1*", thread: thread("a", "1") });
    expect(await again.findThread(["a1", "b1"], 100)).toEqual({ key: "b1", thread: thread("b", "1") });
    expect(await again.findThread([], 0)).toBeUndefined();
    expect(await again.findLatestThread("me", "b")).toEqual(thread("b", "2"));
    expect(await again.findLatestThread("you", "b")).toBeUndefined();
    await again.removeThreads("me", "b");
    expect(await again.findThread(["b1", "b2"], 0)).toBeUndefined();
    expect(await again.findChat("me", "b", "s", 0)).toEqual({ ...chat("b", 200), attempts: 0 });
  });

  test("claims a thread once, by any of its keys, together with the other threads of its chat", async () => {
    const store = await open(await freshPath());
    for (const name of ["a", "b"]) await store.saveChat(chat(name, 100));
    await store.saveThread(["a1", "a1*"], thread("a", "1"));
    await store.saveThread(["a2"], thread("a", "2"));
    await store.saveThread(["b1"], thread("b", "1"));
    expect(await store.claimThread(["?", "a1*", "b1"], 100)).toBeUndefined();
    const keys = ["a1", "a1*", "a2"];
    expect(await store.claimThread(["?", "a1*", "b1"], 99)).toEqual({ keys, thread: thread("a", "1") });
    expect(await store.claimThread(keys, 0)).toBeUndefined();
    expect(await store.claimLatestThread("me", "a")).toBeUndefined();
    expect(await store.claimLatestThread("me", "b")).toEqual({ keys: ["b1"], thread: thread("b", "1") });
    expect(await store.claimLatestThread("me", "b")).toBeUndefined();
    expect((await store.findChat("me", "a", "s", 0))?.chat).toBe("a");
  });

  test("gives each of a thousand threads to one of three processes that claim them", async () => {
    const path = await freshPath();
    const store = await open(path);
    for (let n = 0; n < 1_000; n++) {
      await store.saveChat(chat(`chat-${n}`, 1_000));
      await store.saveThread([`key-${n}`], thread(`chat-${n}`, "1"));
    }
    const reports = await Promise.all(
      Array.from({ length: 3 }, () => outputLines(startWorker("claim", path))),
    );
    expect(reports.flat().filter((line) => line.startsWith("claimed")).length).toBe(1_000);
    expect(new Set(reports.flat()).size).toBe(1_001);
  });

  test("keeps a chat in the scope that saved it first", async () => {
    const store = await open(await freshPath());
    await store.saveChat(chat("a", 100, "mine"));
    await store.saveChat(chat("a", 900, "yours"));
    expect(await store.findChat("me", "a", "yours", 0)).toBeUndefined();
    expect(await store.findChat("me", "a", "mine", 0)).toEqual({ ...chat("a", 100, "mine"), attempts: 0 });
    expect(await store.findChat("me", "a", "mine", 100)).toBeUndefined();
  });

  test("lists due chats, postponed ones later, until they are used again or removed", async () => {
    const store = await open(await freshPath());
    for (const [name, dueAt] of [
      ["c", 30],
      ["a", 10],
      ["b", 20],
    ] as const)
      await store.saveChat(chat(name, dueAt));
    const due = async (now: number) =>
      (await store.listDueChats(["me", "you"], now, 2)).map((one) => one.chat);
    expect(await due(5)).toEqual([]);
    expect(await due(30)).toEqual(["a", "b"]);
    expect(await store.countDueChats(30)).toBe(3);
    await store.postponeChat("me", "a", 40);
    await store.postponeChat("me", "a", 50);
    expect((await store.findChat("me", "a", "s", 0))?.attempts).toBe(2);
    await store.saveChat(chat("a", 15));
    expect((await store.findChat("me", "a", "s", 0))?.attempts).toBe(0);
    await store.removeChat("me", "a");
    expect(await due(100)).toEqual(["b", "c"]);
    expect(await store.listDueChats(["you"], 100, 2)).toEqual([]);
  });

  test("trims the oldest threads beyond the limit only", async () => {
    const store = await open(await freshPath());
    await store.saveChat(chat("a", 100));
    const keys = Array.from({ length: 1_200 }, (_, n) => `key-${n}`);
    await store.saveThread(keys, thread("a", "1"));
    await store.saveThread(["key-0"], thread("a", "2"));
    await store.trimThreads(10);
    const left = await Promise.all(keys.map((key) => store.findThread([key], 0)));
    expect(left.flatMap((found) => found?.key ?? [])).toEqual(["key-0", ...keys.slice(-9)]);
    await store.trimThreads(0);
    expect(await store.findThread(["key-0"], 0)).toBeUndefined();
  });

  const name = fc.tuple(fc.constantFrom("me", "you"), fc.constantFrom("a", "b", "c"));
  const scope = fc.constantFrom("s", "t");
  const time = fc.nat(20);
  const keys = fc.array(
    fc.nat(15).map((n) => `key-${n}`),
    { maxLength: 6 },
  );
  type Step = (store: ThreadStore) => Promise<unknown>;
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.tuple(name, scope, time).map(([[upstream, chat], scope, dueAt]): Step => {
      return (store) => store.saveChat({ upstream, chat, scope, dueAt });
    }),
    fc.tuple(name, keys, fc.string()).map(([[upstream, chat], keys, parent]): Step => {
      return (store) => store.saveThread(keys, { upstream, chat, parent, system: "y" });
    }),
    fc.tuple(keys, time).map(
      ([keys, now]): Step =>
        (store) =>
          store.findThread(keys, now),
    ),
    fc.tuple(name, scope, time).map(
      ([names, scope, now]): Step =>
        (store) =>
          store.findChat(...names, scope, now),
    ),
    fc.tuple(name, time).map(
      ([names, dueAt]): Step =>
        (store) =>
          store.postponeChat(...names, dueAt),
    ),
    fc.tuple(time, fc.nat(4)).map(
      ([now, limit]): Step =>
        (store) =>
          store.listDueChats(["me", "you"], now, limit),
    ),
    time.map(
      (now): Step =>
        (store) =>
          store.countDueChats(now),
    ),
    name.map(
      (names): Step =>
        (store) =>
          store.findLatestThread(...names),
    ),
    fc.tuple(keys, time).map(
      ([keys, now]): Step =>
        (store) =>
          store.claimThread(keys, now),
    ),
    name.map(
      (names): Step =>
        (store) =>
          store.claimLatestThread(...names),
    ),
    name.map(
      (names): Step =>
        (store) =>
          store.removeThreads(...names),
    ),
    name.map(
      (names): Step =>
        (store) =>
          store.removeChat(...names),
    ),
    fc.integer({ min: 4, max: 20 }).map(
      (limit): Step =>
        (store) =>
          store.trimThreads(limit),
    ),
  );

  test("matches the reference store in 10,000 random calls", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 100, size: "max" }), async (steps) => {
        const path = await freshPath();
        const store = await SqliteStore.open(path);
        const reference = new ReferenceThreadStore();
        for (const call of steps) expect(await call(store)).toEqual(await call(reference));
        await store.close();
      }),
      { numRuns: 100 },
    );
  });
});

describe("the file", () => {
  test("keeps every acknowledged write after kill -9", async () => {
    const path = await freshPath();
    for (let round = 0; round < 5; round++) {
      const child = startWorker("write", path);
      const lines = outputLines(child);
      await once(child.stdout ?? child, "data");
      setTimeout(() => child.kill("SIGKILL"), 50 + Math.random() * 200);
      const written = (await lines).map(Number);

      const store = await open(path);
      for (const n of written) {
        expect((await store.findThread([`alias-${n}`], 0))?.thread.parent).toBe(`${n}`);
      }
      expect((await store.listKeys()).length).toBeGreaterThan(written.at(-1) ?? Number.POSITIVE_INFINITY);
      expect((await store.findCredentials("me"))?.savedAt).toBeGreaterThanOrEqual(written.at(-1) ?? 0);
      expect(readPragma(openRaw(path), "quick_check")).toBe("ok");
      await store.close();
    }
  });

  test("migrates a new file to the newest version once", async () => {
    const path = await freshPath();
    await (await open(path)).close();
    const database = openRaw(path);
    expect(readSchemaVersion(database)).toBe(migrations.length);
    migrate(database);
    expect(readSchemaVersion(database)).toBe(migrations.length);
  });

  test("applies a migration completely or not at all", async () => {
    const database = openRaw(await freshPath());
    const steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"];
    expect(() => migrate(database, steps)).toThrow();
    expect(readSchemaVersion(database)).toBe(1);
    expect(database.prepare("SELECT name FROM sqlite_schema").raw().all()).toEqual([["a"]]);
    migrate(database, ["never again", "CREATE TABLE b (x)"]);
    expect(readSchemaVersion(database)).toBe(2);
  });

  /** Kinds of damage to an intact database, with the error that each must cause. */
  const damages: Record<string, [damageFile: (file: Buffer) => Buffer | string, message: RegExp]> = {
    "a text file": [() => "SECRET", /is not a database/],
    "a state file of an older version": [
      () => '{"version":1,"credentials":{"me":"SECRET"}}'.padEnd(9_000),
      /is not a database/,
    ],
    "a file of zeros": [() => Buffer.alloc(8_192), /is not a database/],
    "a zeroed header": [
      (file) => Buffer.concat([Buffer.alloc(100), file.subarray(100)]),
      /is not a database/,
    ],
    "a file cut in half": [(file) => file.subarray(0, file.length / 2), /is damaged/],
    "a file cut to one page": [(file) => file.subarray(0, 4_096), /is damaged/],
    "an overwritten page": [(file) => Buffer.from(file).fill("SECRET", 8_192, 12_288), /is damaged/],
    "an overwritten schema": [(file) => Buffer.from(file).fill("SECRET", 100, 4_096), /is damaged/],
  };

  test.each(Object.entries(damages))(
    "rejects %s with an error that quotes no content, and leaves the file unchanged",
    async (_, damage) => {
      const intactPath = await freshPath();
      const store = await open(intactPath);
      for (let n = 0; n < 200; n++) await store.saveChat(chat(`SECRET-${n}`, n));
      await store.close();
      const [damageFile, message] = damage;
      const path = await freshPath();
      await writeFile(path, damageFile(await readFile(intactPath)));
      const before = await readFile(path);

      const error = await SqliteStore.open(path).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(StoreError);
      expect(String(error)).toMatch(message);
      expect(String(error)).toMatch(/backup/);
      expect(String(error)).toContain(path);
      expect(JSON.stringify([error, String(error), Object(error).cause])).not.toContain("SECRET");
      expect((await readFile(path)).equals(before)).toBe(true);
    },
  );

  test("rejects files of a newer version and of another program", async () => {
    const path = await freshPath();
    await (await open(path)).close();
    openRaw(path).exec("PRAGMA user_version = 99");
    await expect(SqliteStore.open(path)).rejects.toThrow(/newer Moonbridge/);
    openRaw(path).exec("PRAGMA application_id = 7");
    await expect(SqliteStore.open(path)).rejects.toThrow(/another program/);
  });

  test.each(["is a folder", "lies under a file"])("rejects a path that %s", async (kind) => {
    const path = await freshPath();
    await (kind === "is a folder" ? mkdir(path) : writeFile(path, ""));
    const database = kind === "is a folder" ? path : join(path, "moonbridge.db");
    const error = await SqliteStore.open(database).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toMatch(/Set "store" to/);
  });

  test.each([
    ["folder", 0o555, 0o666],
    ["file", 0o777, 0o444],
  ])("rejects a %s that cannot be written", async (_, folderMode, fileMode) => {
    const path = await freshPath();
    await (await open(path)).close();
    const copy = join(`${path}.folder`, "moonbridge.db");
    await mkdir(`${path}.folder`);
    await copyFile(path, copy);
    await chmod(copy, fileMode);
    await chmod(`${path}.folder`, folderMode);
    await chmod(join(path, ".."), 0o755);
    expect(await outputLines(startWorker("open", copy))).toEqual([
      expect.stringMatching(/^StoreError: .*Set "store" to/),
    ]);
    await chmod(`${path}.folder`, 0o755);
  });

  test("rejects a write on a full disk without quoting values, and keeps earlier writes", async () => {
    const path = await freshPath();
    const lines = await outputLines(startWorker("write", path, "ulimit -f 800"));
    expect(lines.at(-1)).toMatch(/^StoreError: The database .* disk .*\(SQLITE_(IOERR|FULL)\w*\)$/);
    expect(lines.at(-1)).not.toContain("SECRET");
    expect((await (await open(path)).listKeys()).length).toBeGreaterThanOrEqual(lines.length - 1);
  });

  test("rejects a write while another process holds the file, and works afterwards", async () => {
    const path = await freshPath();
    const store = await open(path);
    const other = openRaw(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.saveChat(chat("a", 1))).rejects.toThrow(/held by another process.*\(SQLITE_BUSY\)/);
    other.exec("COMMIT");
    await store.saveChat(chat("a", 1));
  });

  test("rejects tampered credentials without quoting them", async () => {
    const path = await freshPath();
    const store = await open(path);
    for (const value of ["SECRET", '{"current":"SECRET"}']) {
      openRaw(path).prepare("INSERT OR REPLACE INTO credentials VALUES ('me', ?)").run(value);
      const error = await store.findCredentials("me").catch((error: unknown) => error);
      expect(error).toBeInstanceOf(StoreError);
      expect(JSON.stringify([String(error), Object(error).cause])).not.toContain("SECRET");
    }
  });

  test("can be closed twice, and rejects calls afterwards", async () => {
    const path = await freshPath();
    const store = await open(path);
    await store.saveChat(chat("a", 1));
    await store.close();
    await store.close();
    await expect(store.countDueChats(1)).rejects.toThrow(/is closed/);
    expect((await stat(`${path}-wal`)).size).toBe(0);
  });
});
