import type Database from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { SqliteChats } from "../../../src/store/sqlite/chats.js";
import { SqliteConversations } from "../../../src/store/sqlite/conversations.js";
import { connect } from "../../../src/store/sqlite/database-file.js";
import { migrate } from "../../../src/store/sqlite/migrations.js";
import { SqliteNodeTrimmer } from "../../../src/store/sqlite/node-trimmer.js";
import { chat, claimOf, findIds, findNode, node, queries, saveNode } from "../contract/fixtures.js";
import { freshPath, openRaw, openStore } from "./temporary-database.js";

test.each(["chats", "nodes"])(
  "a turn is saved whole or not at all where a write to %s fails",
  async (table) => {
    const path = await freshPath();
    const store = await openStore(path);
    await store.saveChat(chat("a"));
    const parent = await saveNode(store, "a", node("1"));
    const before = await findNode(store, parent, 0);
    const fail = `CREATE TRIGGER fail BEFORE UPDATE ON ${table}
    BEGIN SELECT RAISE (ABORT, 'no') WHERE old.id > 0; END`;
    openRaw(path).exec(fail);
    const turn = () => store.saveNode(node("x", { parent }), { upstream: "me", chat: "a" });
    await expect(turn()).rejects.toThrow();
    // Also among other writes, which succeed.
    const batch = await Promise.allSettled([store.saveChat(chat("b")), turn(), store.saveChat(chat("c"))]);
    expect(batch.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await findIds(store, { by: "path", hash: "path-x" })).toEqual([]);
    expect(await findNode(store, parent, 0)).toEqual(before);
    expect(await store.countDueChats(100)).toBe(3);
    openRaw(path).exec("DROP TRIGGER fail");
    await turn();
    expect(await findIds(await openStore(path), { by: "path", hash: "path-x" })).toHaveLength(1);
  },
);

test("a claim lasts until its end by the callers' clock", async () => {
  const store = await openStore(await freshPath());
  await store.saveChat(chat("a"));
  const tree = { ...claimOf(await saveNode(store, "a", node("1"))), isLine: false };
  await store.claimChat({ ...tree, until: 10 });
  expect(await store.claimChat({ ...tree, owner: "you", now: 9 })).toBe(false);
  await store.extendClaim({ upstream: "me", chat: "a", owner: "me" }, 80.5);
  expect(await store.claimChat({ ...tree, owner: "you", now: 80 })).toBe(false);
  expect((await findNode(store, tree.node, 80))?.chat?.answering).toBe("conversation of me");
  expect((await findNode(store, tree.node, 81))?.chat).not.toHaveProperty("answering");
  expect(await store.claimChat({ ...tree, owner: "you", now: 81 })).toBe(true);
});

/** A database whose statements are counted: how many steps of SQLite's virtual machine they have run. */
async function openCounted(): Promise<{
  database: Database.Database;
  conversations: SqliteConversations;
  chats: SqliteChats;
  nodeTrimmer: SqliteNodeTrimmer;
  countSteps: (work: () => unknown) => Promise<{ steps: number; fullScanSteps: number }>;
}> {
  const database = connect(await freshPath(), "NORMAL");
  onTestFinished(() => {
    database.close();
  });
  migrate(database);
  const total = database
    .prepare(
      "SELECT sum(nstep) AS steps, sum(nscan) AS scan FROM sqlite_stmt WHERE sql NOT LIKE '%sqlite_stmt%'",
    )
    .raw();
  const read = () => total.get() as [steps: number, fullScanSteps: number];
  return {
    database,
    conversations: new SqliteConversations(database),
    chats: new SqliteChats(database),
    nodeTrimmer: new SqliteNodeTrimmer(database),
    countSteps: async (work) => {
      const before = read();
      await work();
      const after = read();
      return { steps: after[0] - before[0], fullScanSteps: after[1] - before[1] };
    },
  };
}

describe("look-ups", () => {
  const common = { answers: ["answer-x", "other-answer-x"], paths: ["path-x", "other-path-x"] };
  const ofConversation = { ...common, conversation: "conversation-x" };
  /** The nodes of the conversation, and as many again in one of their own each. */
  async function openWithEqualNodes(count: number) {
    const opened = await openCounted();
    const { database, conversations, chats } = opened;
    database.exec("BEGIN");
    for (let n = 0; n < count; n++) {
      const name = `chat-${Math.floor(n / 10)}`;
      if (n % 10 === 0) chats.save(chat(name));
      const one = node(`${n}`, n % 2 === 0 ? ofConversation : common);
      conversations.saveNode(one, { upstream: "me", chat: name });
    }
    database.exec("COMMIT");
    return opened;
  }

  const limit = limits.nodeCandidates;
  const claim = { ...claimOf(1, "o"), isLine: false };
  type Parts = Pick<Awaited<ReturnType<typeof openCounted>>, "conversations" | "chats" | "nodeTrimmer">;
  const calls: Record<string, (parts: Parts) => unknown> = {
    ...Object.fromEntries(
      [
        ...queries,
        { by: "path", hash: "other-path-x" } as const,
        { by: "answer", hash: "other-answer-x" } as const,
        { by: "conversation-answer", conversation: "conversation-x", answer: "other-answer-x" } as const,
      ].map((query): [string, (parts: Parts) => unknown] => [
        JSON.stringify(query),
        ({ conversations }) => expect(conversations.findNodes(query, limit, 0)).toHaveLength(limit),
      ]),
    ),
    "one node": ({ conversations }) => conversations.findPath(9, 3, 0),
    "an unknown path": ({ conversations }) => conversations.findNodes({ by: "path", hash: "?" }, limit, 0),
    "known hashes": ({ conversations }) =>
      expect(
        conversations.knownHashes(["path-x", "other-path-x", "answer-x", "other-answer-x", "?"]).size,
      ).toBe(4),
    "a claim": ({ conversations }) => expect(conversations.claimChat(claim)).toBe(true),
    "a claim's extension": ({ conversations }) =>
      conversations.extendClaim({ upstream: "me", chat: "chat-0", owner: "o" }, 60),
    "a claim's release": ({ conversations }) =>
      conversations.releaseChat({ upstream: "me", chat: "chat-0", owner: "o" }, 1),
    "a new node": ({ conversations }) =>
      conversations.saveNode(node("new", { ...common, parent: 5 }), {
        upstream: "me",
        chat: "chat-0",
      }),
    "a forgotten answer": ({ conversations }) => conversations.isAnswerForgotten("answer-x", undefined),
    "a trim with nothing to do": ({ nodeTrimmer }) =>
      nodeTrimmer.trim({ nodes: 1_000_000, forgottenAnswers: 1, tombstonesBefore: 0 }, 0, () => true),
    "a chat's detachment": ({ chats }) => chats.detachNodes("me", "chat-1", 0),
    "a chat's removal": ({ chats }) => chats.remove("me", "chat-2", 0),
  };

  test("read as much of 20,000 nodes with one path, answer and conversation as of the fewest with so many rows", async () => {
    // Half of them are of the conversation; as many as the limit are enough to fill each look-up.
    const few = await openWithEqualNodes(2 * limit);
    const many = await openWithEqualNodes(20_000);
    for (const [name, call] of Object.entries(calls)) {
      const expected = await few.countSteps(() => call(few));
      const actual = await many.countSteps(() => call(many));
      expect([name, actual]).toEqual([name, expected]);
      expect([name, actual.steps > 0]).toEqual([name, true]);
    }
  });

  test("are counted: a look-up without an index takes more steps the more nodes there are", async () => {
    const steps = await Promise.all(
      [100, 1_000].map(async (count) => {
        const { database, countSteps } = await openWithEqualNodes(count);
        const scan = database.prepare("SELECT id FROM nodes WHERE answer_id = '?'").raw();
        return countSteps(() => scan.all());
      }),
    );
    expect(steps[1]?.steps).toBeGreaterThan(3_000);
    expect(steps[1]?.fullScanSteps).toBe(999);
    expect(steps[0]?.steps).toBeLessThan(1_000);
  });

  test("read at most the limit of rows in each form", async () => {
    const { conversations, countSteps } = await openWithEqualNodes(20_000);
    for (const query of queries) {
      const stepsFor = async (limit: number) =>
        (await countSteps(() => conversations.findNodes(query, limit, 0))).steps;
      // Each further row costs the same: those found, and no others, are read.
      const differences: number[] = [];
      for (const limit of [1, 2, 4, 8, 16])
        differences.push(((await stepsFor(2 * limit)) - (await stepsFor(limit))) / limit);
      const [first = 0] = differences;
      for (const difference of differences) expect(difference / first).toBeCloseTo(1, 0);
      expect(first).toBeLessThan(120);
    }
  });
});
