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
import { migrate, migrations, readPragma, versionOf } from "../../../src/store/sqlite/migrations.js";
import { SqliteStore, StoreError } from "../../../src/store/sqlite/store.js";
import { PlainStore } from "../plain-store.js";

const program = new URL("../child.mjs", import.meta.url).pathname;

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

/** A second look at the file, past the store. */
function peek(path: string): Database.Database {
  const database = new Database(path);
  onTestFinished(() => {
    database.close();
  });
  return database;
}

/** Another process; `shell` runs before it. */
function start(what: "race" | "take" | "write" | "open", path: string, shell = ":"): ChildProcess {
  const child = spawn("sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, program, what, path]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** The lines that a process reports until it ends. */
async function report(child: ChildProcess): Promise<string[]> {
  let output = "";
  child.stdout?.on("data", (data: Buffer) => {
    output += data;
  });
  await once(child, "close");
  return output.split("\n").slice(0, -1);
}

const login = (n: number) => ({
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
const limited: StoredKey = {
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

describe("logins, keys and locks", () => {
  test("what was saved is there after opening again, readable by its owner only", async () => {
    const path = await freshPath();
    const store = await open(path);
    await store.saveCredentials("me", login(1));
    await store.saveCredentials("me", login(2));
    const pasted = { ...login(3), site: { baseUrl: "https://www.kimi.ai", authUrl: "https://auth.kimi.ai" } };
    await store.saveCredentials("kimi", pasted);
    expect(await store.addKey(key("first", "00"))).toBe(true);
    expect(await store.addKey(limited)).toBe(true);
    for (const file of [path, `${path}-wal`, `${path}-shm`])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    await store.close();

    const again = await open(path);
    expect(await again.credentials("me")).toEqual(login(2));
    expect(await again.credentials("kimi")).toEqual(pasted);
    expect(await again.credentials("toString")).toBeUndefined();
    expect(await again.accounts()).toEqual(["kimi", "me"]);
    expect(await again.keys()).toEqual([key("first", "00"), limited]);
  });

  test("a key is found by its hash and its name, is the only one of its name, and is gone once removed", async () => {
    const path = await freshPath();
    const [store, other] = [await open(path), await open(path)];
    await store.addKey(key("first", "00"));
    await store.addKey(limited);
    expect(await other.keyByHash("01")).toEqual(limited);
    expect(await other.keyByName("second")).toEqual(limited);
    expect(await other.keyByHash("02")).toBeUndefined();
    expect(await other.keyByName("02")).toBeUndefined();
    expect(await other.addKey(key("second", "02"))).toBe(false);
    expect(await store.keyByHash("02")).toBeUndefined();
    expect(await other.removeKey("second")).toBe(true);
    expect(await other.removeKey("second")).toBe(false);
    expect(await store.keyByHash("01")).toBeUndefined();
    expect(await store.keys()).toEqual([key("first", "00")]);
  });

  test("look-ups of a key go by an index", async () => {
    const path = await freshPath();
    await (await open(path)).close();
    for (const column of ["sha256", "name"]) {
      const plan = peek(path)
        .prepare(`EXPLAIN QUERY PLAN SELECT * FROM keys WHERE ${column} = 'x'`)
        .raw()
        .all();
      expect(JSON.stringify(plan)).toMatch(/SEARCH keys USING INDEX/);
    }
  });

  test("keys of the first version may do everything, and of two with one name each is kept", async () => {
    const path = await freshPath();
    const database = peek(path);
    migrate(database, migrations.slice(0, 2));
    for (const sha256 of ["00", "01"])
      database.prepare("INSERT INTO keys (name, sha256) VALUES ('first', ?)").run(sha256);
    const store = await open(path);
    const settings = { scopes: ["chat", "admin"] };
    expect(await store.keys()).toEqual([
      { name: "first", sha256: "00", settings },
      { name: "first-2", sha256: "01", settings },
    ]);
  });

  test("a secret is made once for all processes", async () => {
    const path = await freshPath();
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(path)));
    const secrets = stores.map((store, n) => store.secret("door", () => `secret-${n}`));
    expect(new Set(await Promise.all(secrets)).size).toBe(1);
    expect(await (await open(path)).secret("door", () => "never")).toBe(await secrets[0]);
    expect(await stores[1]?.secret("window", () => "other")).toBe("other");
  });

  test("a folder that is missing is made, and a file that all could read is closed to them", async () => {
    const path = join(await freshPath(), "deeper", "moonbridge.db");
    await (await open(path)).close();
    const copy = `${path}.copy`;
    await copyFile(path, copy);
    await chmod(copy, 0o644);
    await open(copy);
    for (const file of [copy, `${copy}-wal`, `${copy}-shm`])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("logins are synced one by one, conversations are not", async () => {
    const path = await freshPath();
    for (const [synchronous, level] of [["FULL", 2] as const, ["NORMAL", 1] as const]) {
      const database = connect(path, synchronous);
      expect(readPragma(database, "synchronous")).toBe(level);
      expect(readPragma(database, "journal_mode")).toBe("wal");
      database.close();
    }
  });

  test("a lock has one owner, who may prolong it and alone gives it back", async () => {
    const path = await freshPath();
    const [mine, yours] = [await open(path), await open(path)];
    const later = Date.now() + 60_000;
    expect(await mine.lock("door", "me", later)).toBe(true);
    expect(await mine.lock("door", "me", later + 1)).toBe(true);
    expect(await yours.lock("door", "you", later)).toBe(false);
    expect(await yours.lock("window", "you", later)).toBe(true);
    await yours.unlock("door", "you");
    expect(await yours.lock("door", "you", later)).toBe(false);
    await mine.unlock("door", "me");
    expect(await yours.lock("door", "you", later)).toBe(true);
  });

  test("a lock whose time is over belongs to whoever asks first", async () => {
    const store = await open(await freshPath());
    await store.lock("door", "killed", Date.now() - 1);
    expect(await store.lock("door", "first", Date.now() + 60_000)).toBe(true);
    expect(await store.lock("door", "second", Date.now() + 60_000)).toBe(false);
    await store.unlock("door", "killed");
    expect(await store.lock("door", "second", Date.now() + 60_000)).toBe(false);
  });

  test("four processes open a new file at once and race for a lock: never two owners", async () => {
    const path = await freshPath();
    const reports = await Promise.all(Array.from({ length: 4 }, () => report(start("race", path))));
    const lines = reports.flat();
    expect(new Set(lines)).toEqual(new Set(["alone", "refused"]));
    expect(lines.length).toBe(800);
  });
});

describe("chats and threads", () => {
  test("a thread is found by the first of its keys, as long as its chat is not due", async () => {
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
    expect(await again.latestThread("me", "b")).toEqual(thread("b", "2"));
    expect(await again.latestThread("you", "b")).toBeUndefined();
    await again.forgetThreads("me", "b");
    expect(await again.findThread(["b1", "b2"], 0)).toBeUndefined();
    expect(await again.chat("me", "b", "s", 0)).toEqual({ ...chat("b", 200), attempts: 0 });
  });

  test("a place is taken once, by whichever of its names, and with it all others of its chat", async () => {
    const store = await open(await freshPath());
    for (const name of ["a", "b"]) await store.saveChat(chat(name, 100));
    await store.saveThread(["a1", "a1*"], thread("a", "1"));
    await store.saveThread(["a2"], thread("a", "2"));
    await store.saveThread(["b1"], thread("b", "1"));
    expect(await store.takeThread(["?", "a1*", "b1"], 100)).toBeUndefined();
    const keys = ["a1", "a1*", "a2"];
    expect(await store.takeThread(["?", "a1*", "b1"], 99)).toEqual({ keys, thread: thread("a", "1") });
    expect(await store.takeThread(keys, 0)).toBeUndefined();
    expect(await store.takeLatestThread("me", "a")).toBeUndefined();
    expect(await store.takeLatestThread("me", "b")).toEqual({ keys: ["b1"], thread: thread("b", "1") });
    expect(await store.takeLatestThread("me", "b")).toBeUndefined();
    expect((await store.chat("me", "a", "s", 0))?.chat).toBe("a");
  });

  test("three processes take the same thousand places: each place goes to one of them", async () => {
    const path = await freshPath();
    const store = await open(path);
    for (let n = 0; n < 1_000; n++) {
      await store.saveChat(chat(`chat-${n}`, 1_000));
      await store.saveThread([`key-${n}`], thread(`chat-${n}`, "1"));
    }
    const reports = await Promise.all(Array.from({ length: 3 }, () => report(start("take", path))));
    expect(reports.flat().filter((line) => line.startsWith("took")).length).toBe(1_000);
    expect(new Set(reports.flat()).size).toBe(1_001);
  });

  test("a chat stays with the scope that noted it first", async () => {
    const store = await open(await freshPath());
    await store.saveChat(chat("a", 100, "mine"));
    await store.saveChat(chat("a", 900, "yours"));
    expect(await store.chat("me", "a", "yours", 0)).toBeUndefined();
    expect(await store.chat("me", "a", "mine", 0)).toEqual({ ...chat("a", 100, "mine"), attempts: 0 });
    expect(await store.chat("me", "a", "mine", 100)).toBeUndefined();
  });

  test("what is due waits longer after each failure, until the chat is used again or gone", async () => {
    const store = await open(await freshPath());
    for (const [name, dueAt] of [
      ["c", 30],
      ["a", 10],
      ["b", 20],
    ] as const)
      await store.saveChat(chat(name, dueAt));
    const due = async (now: number) => (await store.dueChats(["me", "you"], now, 2)).map((one) => one.chat);
    expect(await due(5)).toEqual([]);
    expect(await due(30)).toEqual(["a", "b"]);
    expect(await store.countDueChats(30)).toBe(3);
    await store.postponeChat("me", "a", 40);
    await store.postponeChat("me", "a", 50);
    expect((await store.chat("me", "a", "s", 0))?.attempts).toBe(2);
    await store.saveChat(chat("a", 15));
    expect((await store.chat("me", "a", "s", 0))?.attempts).toBe(0);
    await store.removeChat("me", "a");
    expect(await due(100)).toEqual(["b", "c"]);
    expect(await store.dueChats(["you"], 100, 2)).toEqual([]);
  });

  test("the oldest threads are trimmed, and no more than that", async () => {
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
          store.chat(...names, scope, now),
    ),
    fc.tuple(name, time).map(
      ([names, dueAt]): Step =>
        (store) =>
          store.postponeChat(...names, dueAt),
    ),
    fc.tuple(time, fc.nat(4)).map(
      ([now, limit]): Step =>
        (store) =>
          store.dueChats(["me", "you"], now, limit),
    ),
    time.map(
      (now): Step =>
        (store) =>
          store.countDueChats(now),
    ),
    name.map(
      (names): Step =>
        (store) =>
          store.latestThread(...names),
    ),
    fc.tuple(keys, time).map(
      ([keys, now]): Step =>
        (store) =>
          store.takeThread(keys, now),
    ),
    name.map(
      (names): Step =>
        (store) =>
          store.takeLatestThread(...names),
    ),
    name.map(
      (names): Step =>
        (store) =>
          store.forgetThreads(...names),
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

  test("10,000 random calls do what the plain store does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 100, size: "max" }), async (steps) => {
        const path = await freshPath();
        const store = await SqliteStore.open(path);
        const plain = new PlainStore();
        for (const call of steps) expect(await call(store)).toEqual(await call(plain));
        await store.close();
      }),
      { numRuns: 100 },
    );
  });
});

describe("the file", () => {
  test("all that was reported as written is there after kill -9", async () => {
    const path = await freshPath();
    for (let round = 0; round < 5; round++) {
      const child = start("write", path);
      const lines = report(child);
      await once(child.stdout ?? child, "data");
      setTimeout(() => child.kill("SIGKILL"), 50 + Math.random() * 200);
      const written = (await lines).map(Number);

      const store = await open(path);
      for (const n of written) {
        expect((await store.findThread([`alias-${n}`], 0))?.thread.parent).toBe(`${n}`);
      }
      expect((await store.keys()).length).toBeGreaterThan(written.at(-1) ?? Number.POSITIVE_INFINITY);
      expect((await store.credentials("me"))?.savedAt).toBeGreaterThanOrEqual(written.at(-1) ?? 0);
      expect(readPragma(peek(path), "quick_check")).toBe("ok");
      await store.close();
    }
  });

  test("a new file gets the newest schema, once", async () => {
    const path = await freshPath();
    await (await open(path)).close();
    const database = peek(path);
    expect(versionOf(database)).toBe(migrations.length);
    migrate(database);
    expect(versionOf(database)).toBe(migrations.length);
  });

  test("each migration is taken whole or not at all", async () => {
    const database = peek(await freshPath());
    const steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"];
    expect(() => migrate(database, steps)).toThrow();
    expect(versionOf(database)).toBe(1);
    expect(database.prepare("SELECT name FROM sqlite_schema").raw().all()).toEqual([["a"]]);
    migrate(database, ["never again", "CREATE TABLE b (x)"]);
    expect(versionOf(database)).toBe(2);
  });

  /** A sound database with some pages of content, and then what befell it. */
  const damages: Record<string, [befall: (file: Buffer) => Buffer | string, message: RegExp]> = {
    "a few letters": [() => "SECRET", /is not a database/],
    "the old state file": [
      () => '{"version":1,"credentials":{"me":"SECRET"}}'.padEnd(9_000),
      /is not a database/,
    ],
    "nothing but zeros": [() => Buffer.alloc(8_192), /is not a database/],
    "the start lost": [(file) => Buffer.concat([Buffer.alloc(100), file.subarray(100)]), /is not a database/],
    "half of it lost": [(file) => file.subarray(0, file.length / 2), /is damaged/],
    "all but one page lost": [(file) => file.subarray(0, 4_096), /is damaged/],
    "a page overwritten": [(file) => Buffer.from(file).fill("SECRET", 8_192, 12_288), /is damaged/],
    "the schema overwritten": [(file) => Buffer.from(file).fill("SECRET", 100, 4_096), /is damaged/],
  };

  test.each(Object.entries(damages))(
    "%s: an error that quotes nothing, and the file stays",
    async (_, damage) => {
      const sound = await freshPath();
      const store = await open(sound);
      for (let n = 0; n < 200; n++) await store.saveChat(chat(`SECRET-${n}`, n));
      await store.close();
      const [befall, message] = damage;
      const path = await freshPath();
      await writeFile(path, befall(await readFile(sound)));
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

  test("a newer version's file and another program's are left alone", async () => {
    const path = await freshPath();
    await (await open(path)).close();
    peek(path).exec("PRAGMA user_version = 99");
    await expect(SqliteStore.open(path)).rejects.toThrow(/newer Moonbridge/);
    peek(path).exec("PRAGMA application_id = 7");
    await expect(SqliteStore.open(path)).rejects.toThrow(/another program/);
  });

  test.each(["is a folder", "lies under a file"])("a path that %s is an error at once", async (kind) => {
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
  ])("a %s that cannot be written is an error at once", async (_, folderMode, fileMode) => {
    const path = await freshPath();
    await (await open(path)).close();
    const copy = join(`${path}.folder`, "moonbridge.db");
    await mkdir(`${path}.folder`);
    await copyFile(path, copy);
    await chmod(copy, fileMode);
    await chmod(`${path}.folder`, folderMode);
    await chmod(join(path, ".."), 0o755);
    expect(await report(start("open", copy))).toEqual([
      expect.stringMatching(/^StoreError: .*Set "store" to/),
    ]);
    await chmod(`${path}.folder`, 0o755);
  });

  test("a write that the disk refuses is an error without values, and loses nothing before it", async () => {
    const path = await freshPath();
    const lines = await report(start("write", path, "ulimit -f 800"));
    expect(lines.at(-1)).toMatch(/^StoreError: The database .* disk .*\(SQLITE_(IOERR|FULL)\w*\)$/);
    expect(lines.at(-1)).not.toContain("SECRET");
    expect((await (await open(path)).keys()).length).toBeGreaterThanOrEqual(lines.length - 1);
  });

  test("a file that another process holds for long is an error, and fine afterwards", async () => {
    const path = await freshPath();
    const store = await open(path);
    const other = peek(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.saveChat(chat("a", 1))).rejects.toThrow(/held by another process.*\(SQLITE_BUSY\)/);
    other.exec("COMMIT");
    await store.saveChat(chat("a", 1));
  });

  test("a login that was tampered with is an error that quotes nothing of it", async () => {
    const path = await freshPath();
    const store = await open(path);
    for (const value of ["SECRET", '{"current":"SECRET"}']) {
      peek(path).prepare("INSERT OR REPLACE INTO credentials VALUES ('me', ?)").run(value);
      const error = await store.credentials("me").catch((error: unknown) => error);
      expect(error).toBeInstanceOf(StoreError);
      expect(JSON.stringify([String(error), Object(error).cause])).not.toContain("SECRET");
    }
  });

  test("closing twice is fine, and a closed store says so", async () => {
    const path = await freshPath();
    const store = await open(path);
    await store.saveChat(chat("a", 1));
    await store.close();
    await store.close();
    await expect(store.countDueChats(1)).rejects.toThrow(/is closed/);
    expect((await stat(`${path}-wal`)).size).toBe(0);
  });
});
