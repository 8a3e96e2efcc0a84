import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StoreError } from "../../../src/store/errors.js";
import { connect } from "../../../src/store/sqlite/database-file.js";
import { migrate, migrations, readPragma, readSchemaVersion } from "../../../src/store/sqlite/migrations.js";
import { SqliteStore } from "../../../src/store/sqlite/store.js";
import { chat, claimOf, findNode } from "../contract/fixtures.js";
import { outputLines, startWorker } from "../worker.js";
import { configOf, freshPath, openRaw, openStore } from "./temporary-database.js";

describe("the database", () => {
  test("is in files readable by their owner only", async () => {
    const path = await freshPath();
    await openStore(path);
    for (const file of [path, `${path}-wal`, `${path}-shm`])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("looks keys up through an index", async () => {
    const path = await freshPath();
    await (await openStore(path)).close();
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
    const store = await openStore(path);
    const settings = { scopes: ["chat", "admin"] };
    expect(await store.listKeys()).toEqual([
      { name: "first", sha256: "00", settings },
      { name: "first-2", sha256: "01", settings },
    ]);
  });

  test("creates a missing folder, and makes a world-readable file private", async () => {
    const path = join(await freshPath(), "deeper", "moonbridge.db");
    await (await openStore(path)).close();
    const copy = `${path}.copy`;
    await copyFile(path, copy);
    await chmod(copy, 0o644);
    await openStore(copy);
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

  test("keeps the chats of the version that stored threads, and drops its threads", async () => {
    const path = await freshPath();
    const database = openRaw(path);
    migrate(database, migrations.slice(0, 4));
    database.exec(
      `INSERT INTO chats (upstream, chat, scope, due_at, attempts) VALUES ('me', 'a', 's', 100, 2), ('me', 'b', 's', 300, 0);
       INSERT INTO threads (key, chat_id, parent, system) VALUES ('key-a', 1, '1', 'y'), ('key-b', 2, '1', 'y')`,
    );
    const store = await openStore(path);
    expect(store.notes).toEqual([
      expect.stringMatching(/Conversations of an earlier version are not continued/),
    ]);
    expect((await openStore(path)).notes).toEqual([]);
    expect((await openStore(await freshPath())).notes).toEqual([]);
    expect(await store.listDueChats(["me"], 200, 5)).toEqual([{ ...chat("a", 100), attempts: 2 }]);
    expect(await store.listDueChats(["me"], 300, 5)).toHaveLength(2);
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name LIKE '%threads%'").raw().all();
    expect(tables).toEqual([]);
    // The file is as usable as a new one: a chat of before is nobody's, and can be continued once it has a node.
    await store.saveNode(
      {
        answerId: "1",
        conversation: "c",
        paths: ["p"],
        messages: [],
        answers: ["x"],
        systemTexts: [],
        system: "",
      },
      { upstream: "me", chat: "b" },
    );
    const claim = { ...claimOf(1, "o"), until: 250, dueAt: 300, now: 200 };
    expect((await findNode(store, 1, 200))?.chat).toEqual({ upstream: "me", chat: "b", scope: "s", end: 1 });
    expect(await store.claimChat(claim)).toBe(true);
    await store.removeChat("me", "b", 0);
    expect((await findNode(store, 1, 200))?.chat).toBeUndefined();
  });

  test("migrates a new file to the newest version once", async () => {
    const path = await freshPath();
    await (await openStore(path)).close();
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
      const sound = await freshPath();
      const store = await openStore(sound);
      for (let n = 0; n < 200; n++) await store.saveChat(chat(`SECRET-${n}`, n));
      await store.close();
      const [damageFile, message] = damage;
      const path = await freshPath();
      await writeFile(path, damageFile(await readFile(sound)));
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
    await (await openStore(path)).close();
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
    expect(String(error)).toMatch(/Set "store".* to/);
  });

  test.each([
    ["folder", 0o555, 0o666],
    ["file", 0o777, 0o444],
  ])("rejects a %s that cannot be written", async (_, folderMode, fileMode) => {
    const path = await freshPath();
    await (await openStore(path)).close();
    const copy = join(`${path}.folder`, "moonbridge.db");
    await mkdir(`${path}.folder`);
    await copyFile(path, copy);
    await chmod(copy, fileMode);
    await chmod(`${path}.folder`, folderMode);
    await chmod(join(path, ".."), 0o755);
    expect(await outputLines(startWorker("open", configOf(copy)))).toEqual([
      expect.stringMatching(/^StoreError: .*Set "store".* to/),
    ]);
    await chmod(`${path}.folder`, 0o755);
  });

  test("rejects a write on a full disk without quoting values, and keeps earlier writes", async () => {
    const path = await freshPath();
    const lines = await outputLines(startWorker("write", configOf(path), { shell: "ulimit -f 800" }));
    expect(lines.at(-1)).toMatch(/^StoreError: The database .* disk .*\(SQLITE_(IOERR|FULL)\w*\)$/);
    expect(lines.at(-1)).not.toContain("SECRET");
    expect((await (await openStore(path)).listKeys()).length).toBeGreaterThanOrEqual(lines.length - 1);
  });

  test.skipIf(process.platform !== "linux")(
    "commits what it acknowledges once a full disk has room again, and leaves the file to others",
    async () => {
      const path = await freshPath();
      const child = startWorker("recover", configOf(path), { shell: "ulimit -S -f 800" });
      const lines = outputLines(child);
      await new Promise<void>((resolve) => {
        child.stdout?.on("data", (data: Buffer) => {
          if (data.includes("waiting")) resolve();
        });
      });
      const store = await openStore(path);
      await expect(store.saveChat(chat("b", 1))).resolves.toBeUndefined();
      const raise = spawn("sh", ["-c", 'prlimit --pid "$0" --fsize=unlimited', String(child.pid)]);
      expect(await once(raise, "close")).toEqual([0, null]);
      child.stdin?.end();
      const [first, second, ...rest] = (await lines).filter((line) => line !== "waiting");
      for (const line of [first, second])
        expect(line).toMatch(/^The database .* disk .*\(SQLITE_(IOERR|FULL)\w*\)$/);
      expect(rest).toEqual(["saved alone", "saved first of batch", "saved second of batch"]);
      for (const [name, count] of [
        ["alone", 1] as const,
        ["second of batch", 1] as const,
        ["full", 0] as const,
      ])
        expect(await store.findNodes({ by: "path", hash: name }, 2, 0)).toHaveLength(count);
      await store.saveChat(chat("c", 1));
    },
  );

  test("rejects a write while another process holds the file, and works afterwards", async () => {
    const path = await freshPath();
    const store = await openStore(path);
    const other = openRaw(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.saveChat(chat("a", 1))).rejects.toThrow(/held by another process.*\(SQLITE_BUSY\)/);
    other.exec("COMMIT");
    await store.saveChat(chat("a", 1));
  });

  test("rejects tampered credentials without quoting them", async () => {
    const path = await freshPath();
    const store = await openStore(path);
    for (const value of ["SECRET", '{"current":"SECRET"}']) {
      openRaw(path)
        .prepare("INSERT OR REPLACE INTO credentials (account, value) VALUES ('me', ?)")
        .run(value);
      const error = await store.findCredentials("me").catch((error: unknown) => error);
      expect(error).toBeInstanceOf(StoreError);
      expect(JSON.stringify([String(error), Object(error).cause])).not.toContain("SECRET");
    }
  });

  test("has an empty -wal file after it was closed", async () => {
    const path = await freshPath();
    const store = await openStore(path);
    await store.saveChat(chat("a", 1));
    await store.close();
    expect((await stat(`${path}-wal`)).size).toBe(0);
  });
});
