import fc from "fast-check";
import type Database from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import type { ConversationNode, ConversationStore, NodeQuery } from "../../../src/core/store.js";
import { SqliteChats } from "../../../src/store/sqlite/chats.js";
import { SqliteConversations } from "../../../src/store/sqlite/conversations.js";
import { connect } from "../../../src/store/sqlite/database-file.js";
import { migrate } from "../../../src/store/sqlite/migrations.js";
import { SqliteNodeTrimmer } from "../../../src/store/sqlite/node-trimmer.js";
import { SqliteStore } from "../../../src/store/sqlite/store.js";
import { ReferenceConversationStore } from "../reference-conversation-store.js";
import { freshPath, openRaw, openStore, outputLines, startWorker } from "./temporary-database.js";

type NewNode = Parameters<ConversationStore["saveNode"]>[0];

const chat = (name: string, dueAt = 100) => ({ upstream: "me", chat: name, scope: "s", dueAt });

/** A node with hashes of its own, except for the given fields. */
const node = (name: string, fields: Partial<NewNode> = {}): NewNode => ({
  answerId: `id-${name}`,
  conversation: `conversation-${name}`,
  paths: [`path-${name}`],
  messages: [`message-${name}`],
  answers: [`answer-${name}`],
  systemTexts: [],
  system: "",
  ...fields,
});

/** Opens a store with these chats, all due at 100. */
async function openWithChats(...names: string[]): Promise<SqliteStore> {
  const store = await openStore(await freshPath());
  for (const name of names) await store.saveChat(chat(name));
  return store;
}

/** Saves the node and returns its id. */
async function save(store: ConversationStore, chat: string, node: NewNode): Promise<number> {
  await store.saveNode(node, { upstream: "me", chat });
  const [saved] = await store.findNodes({ by: "conversation", hash: node.conversation }, 1, 0);
  if (!saved) throw new Error("The node was not saved.");
  return saved.id;
}

async function findIds(
  store: ConversationStore,
  query: NodeQuery,
  limit: number = limits.nodeCandidates,
): Promise<number[]> {
  return (await store.findNodes(query, limit, 0)).map(({ id }) => id);
}

const queries: readonly NodeQuery[] = [
  { by: "path", hash: "path-x" },
  { by: "answer", hash: "answer-x" },
  { by: "conversation", hash: "conversation-x" },
  { by: "conversation-answer", conversation: "conversation-x", answer: "answer-x" },
];

describe("nodes", () => {
  test("are kept with all their fields across reopening", async () => {
    const path = await freshPath();
    const store = await openStore(path);
    await store.saveChat(chat("a"));
    const full = node("x", {
      parent: 7,
      paths: ["path-x", "other-path-x"],
      messages: ["m1", "m2", "m3"],
      answers: ["answer-x", "other-answer-x"],
      systemTexts: ["s1", "s2"],
      system: "exact",
      affinity: "session",
    });
    const plain = node("y", { messages: [] });
    const ids = [await save(store, "a", full), await save(store, "a", plain)];
    await store.close();

    const again = await openStore(path);
    const at = { upstream: "me", chat: "a", scope: "s", end: ids[1] };
    expect(await again.findNode(ids[0] ?? 0, 99)).toEqual({
      id: ids[0],
      chat: at,
      hasChildren: false,
      ...full,
    });
    expect(await again.findNode(ids[1] ?? 0, 99)).toEqual({
      id: ids[1],
      chat: at,
      hasChildren: false,
      ...plain,
    });
    expect(await again.findNode(99, 99)).toBeUndefined();
  });

  test("are found by either path, either answer, the conversation, and an answer within it", async () => {
    const store = await openWithChats("a", "b");
    const ids = [
      await save(store, "a", node("x")),
      await save(
        store,
        "a",
        node("1", { paths: ["?", "path-x"], answers: ["?", "answer-x"], conversation: "conversation-x" }),
      ),
      await save(store, "b", node("2", { paths: ["path-x", "?"], answers: ["answer-x", "?"] })),
      await save(store, "b", node("3", { conversation: "conversation-x" })),
      await save(store, "b", node("4")),
    ];
    const [first = 0, second = 0, third = 0, fourth = 0] = ids;
    const found = await Promise.all(queries.map((query) => findIds(store, query)));
    expect(found).toEqual([
      [third, second, first],
      [third, second, first],
      [fourth, second, first],
      [second, first],
    ]);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    for (const query of queries) {
      expect(await findIds(store, query, 1)).toHaveLength(1);
      expect(await findIds(store, query, 0)).toEqual([]);
      const other = query.by === "conversation-answer" ? { ...query, answer: "!" } : { ...query, hash: "!" };
      expect(await findIds(store, other)).toEqual([]);
    }
  });

  test("count once where both forms are equal", async () => {
    const store = await openWithChats("a");
    const id = await save(
      store,
      "a",
      node("x", { paths: ["path-x", "path-x"], answers: ["answer-x", "answer-x"] }),
    );
    for (const query of queries) expect(await findIds(store, query)).toEqual([id]);
  });

  test.each(queries)("by $by: at most the limit, the newest first", async (query) => {
    const store = await openWithChats("a", "b");
    const ids: number[] = [];
    for (let n = 0; n < 60; n++) {
      // The forms change places, so that the newest of both are to be merged.
      const [path, answer] =
        n % 3 === 0
          ? [
              ["path-x", "?"],
              ["answer-x", "?"],
            ]
          : [
              ["?", "path-x"],
              ["?", "answer-x"],
            ];
      const one = node(`${n}`, { paths: path, answers: answer, conversation: "conversation-x" });
      ids.push(await save(store, n % 2 === 0 ? "a" : "b", one));
    }
    const found = await findIds(store, query, 17);
    expect(found).toHaveLength(17);
    expect(found).toEqual(found.toSorted((a, b) => b - a));
    // An answer that so many have identifies none of them, so any will do.
    if (query.by !== "answer") expect(found).toEqual(ids.toReversed().slice(0, 17));
    expect(await findIds(store, query, 60)).toEqual(ids.toReversed());
  });

  test("are known by any of their paths and answers", async () => {
    const store = await openWithChats("a");
    await save(store, "a", node("x", { paths: ["p1", "p2"], answers: ["a1", "a2"], messages: ["m"] }));
    const known = await store.knownHashes(["p1", "p2", "a1", "a2", "a2", "m", "conversation-x", "?", ""]);
    expect([...known].sort()).toEqual(["a1", "a2", "p1", "p2"]);
    expect(await store.knownHashes([])).toEqual(new Set());
  });

  test("are the end of their chat once saved, and mark their parent", async () => {
    const store = await openWithChats("a", "b");
    const first = await save(store, "a", node("1"));
    expect(await store.findNode(first, 0)).toMatchObject({ chat: { end: first }, hasChildren: false });
    const second = await save(store, "a", node("2", { parent: first }));
    const other = await save(store, "b", node("3", { parent: first }));
    expect(await store.findNode(first, 0)).toMatchObject({ chat: { end: second }, hasChildren: true });
    expect(await store.findNode(second, 0)).toMatchObject({ parent: first, hasChildren: false });
    expect((await store.findNode(other, 0))?.chat).toEqual({
      upstream: "me",
      chat: "b",
      scope: "s",
      end: other,
    });
  });

  test("are not saved for an unknown chat, not even in part", async () => {
    const store = await openWithChats("a");
    const parent = await save(store, "a", node("1"));
    await store.saveNode(node("x", { parent }), { upstream: "me", chat: "b" });
    await store.saveNode(node("x", { parent }), { upstream: "you", chat: "a" });
    for (const query of queries) expect(await findIds(store, query)).toEqual([]);
    expect((await store.findNode(parent, 0))?.hasChildren).toBe(false);
  });

  test.each(["chats", "nodes"])("are saved whole or not at all where a write to %s fails", async (table) => {
    const path = await freshPath();
    const store = await openStore(path);
    await store.saveChat(chat("a"));
    const parent = await save(store, "a", node("1"));
    const before = await store.findNode(parent, 0);
    const fail = `CREATE TRIGGER fail BEFORE UPDATE ON ${table}
      BEGIN SELECT RAISE (ABORT, 'no') WHERE old.id > 0; END`;
    openRaw(path).exec(fail);
    const turn = () => store.saveNode(node("x", { parent }), { upstream: "me", chat: "a" });
    await expect(turn()).rejects.toThrow();
    // Also among other writes, which succeed.
    const batch = await Promise.allSettled([store.saveChat(chat("b")), turn(), store.saveChat(chat("c"))]);
    expect(batch.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await findIds(store, { by: "path", hash: "path-x" })).toEqual([]);
    expect(await store.findNode(parent, 0)).toEqual(before);
    expect(await store.countDueChats(100)).toBe(3);
    openRaw(path).exec("DROP TRIGGER fail");
    await turn();
    expect(await findIds(await openStore(path), { by: "path", hash: "path-x" })).toHaveLength(1);
  });

  test("are tombstones while their chat is due", async () => {
    const store = await openWithChats("a");
    const id = await save(store, "a", node("x"));
    for (const query of queries) {
      expect((await store.findNodes(query, 1, 99))[0]?.chat).toEqual({
        upstream: "me",
        chat: "a",
        scope: "s",
        end: id,
      });
      const [due] = await store.findNodes(query, 1, 100);
      expect(due).toMatchObject({ id, answers: ["answer-x"] });
      expect(due).not.toHaveProperty("chat");
    }
    await store.postponeChat("me", "a", 200);
    expect((await store.findNode(id, 100))?.chat?.chat).toBe("a");
  });

  test.each(["detached", "removed with their chat"])("are tombstones for good once %s", async (how) => {
    const store = await openWithChats("a", "b");
    const ids = [await save(store, "a", node("1")), await save(store, "a", node("2"))];
    const other = await save(store, "b", node("3"));
    if (how === "detached") await store.detachNodes("me", "a", 0);
    else await store.removeChat("me", "a", 0);
    for (const id of ids) {
      const tombstone = await store.findNode(id, 0);
      expect(tombstone).toMatchObject({ id, hasChildren: false });
      expect(tombstone).not.toHaveProperty("chat");
      expect(await store.claimChat({ ...claimOf(id), isLine: false })).toBe(false);
    }
    expect(await store.knownHashes(["path-1", "answer-2"])).toEqual(new Set(["path-1", "answer-2"]));
    expect((await store.findNode(other, 0))?.chat?.end).toBe(other);
    // The chat must still be deleted upstream if only its nodes are gone; a new node makes it no older node's chat.
    expect(await store.countDueChats(100)).toBe(how === "detached" ? 2 : 1);
    await store.saveChat(chat("a"));
    const next = await save(store, "a", node("4"));
    expect((await store.findNode(next, 0))?.chat).toEqual({
      upstream: "me",
      chat: "a",
      scope: "s",
      end: next,
    });
    expect(await store.findNode(ids[1] ?? 0, 0)).not.toHaveProperty("chat");
  });

  test("are trimmed: tombstones by the time since their chat ended, and the oldest beyond the limit", async () => {
    const store = await openWithChats("a", "b", "c", "d");
    const all = { by: "conversation", hash: "c" } as const;
    const trim = (nodes: number, tombstonesBefore = 0) =>
      store.trimNodes({ nodes, forgottenAnswers: 1_000, tombstonesBefore }, 0);
    const ids: number[] = [];
    for (let n = 0; n < 900; n++) {
      const name = ["a", "b", "c"][n % 3] ?? "";
      ids.push(await save(store, n >= 600 && name === "a" ? "d" : name, node(`${n}`, { conversation: "c" })));
    }
    await store.detachNodes("me", "a", 5);
    await store.removeChat("me", "d", 6);
    // Chats that are due or claimed do not make their nodes tombstones that may go.
    await store.saveChat(chat("b", 0));
    await trim(900, 5);
    expect(await findIds(store, all, 1_000)).toHaveLength(900);
    await trim(900, 6);
    const kept = ids.filter((_, n) => n % 3 !== 0 || n >= 600);
    expect(await findIds(store, all, 1_000)).toEqual(kept.toReversed());
    await trim(kept.length);
    expect(await findIds(store, all, 1_000)).toEqual(kept.toReversed());
    await trim(10);
    expect(await findIds(store, all, 1_000)).toEqual(ids.slice(-10).toReversed());
    // What is left is as it was.
    expect((await store.findNode(ids.at(-1) ?? 0, 0))?.chat).toEqual({
      upstream: "me",
      chat: "c",
      scope: "s",
      end: ids.at(-1),
    });
    expect((await store.findNode(ids.at(-3) ?? 0, 0))?.chat).toBeUndefined();
    await trim(0);
    expect(await findIds(store, all, 1_000)).toEqual([]);
    expect(await store.countDueChats(100)).toBe(3);
  });

  test("leave their answers behind where the store was full, by session, for as long as tombstones are kept", async () => {
    const path = await freshPath();
    const store = await openStore(path);
    await store.saveChat(chat("a"));
    const trim = (now: number, { nodes = 0, forgottenAnswers = 1_000, tombstonesBefore = 0 } = {}) =>
      store.trimNodes({ nodes, forgottenAnswers, tombstonesBefore }, now);
    const forgotten = (store: ConversationStore, affinity?: string) =>
      Promise.all(["1", "2", "3", "4"].map((name) => store.isAnswerForgotten(`answer-${name}`, affinity)));
    await save(store, "a", node("1"));
    await save(store, "a", node("2", { affinity: "session", answers: ["answer-2", "answer-3"] }));
    await save(store, "a", node("4"));
    expect(await forgotten(store)).toEqual([false, false, false, false]);
    await trim(5, { nodes: 1 });
    expect(await forgotten(store)).toEqual([true, true, true, false]);
    expect(await forgotten(store, "session")).toEqual([false, true, true, false]);
    expect(await forgotten(store, "another")).toEqual([false, false, false, false]);
    await store.close();

    const again = await openStore(path);
    await again.trimNodes({ nodes: 0, forgottenAnswers: 1_000, tombstonesBefore: 5 }, 6);
    expect(await forgotten(again)).toEqual([true, true, true, true]);
    await again.trimNodes({ nodes: 0, forgottenAnswers: 1_000, tombstonesBefore: 6 }, 6);
    expect(await forgotten(again)).toEqual([false, false, false, true]);
    // Forgotten again, an answer is kept anew; beyond the limit the oldest go.
    await save(again, "a", node("1"));
    await again.trimNodes({ nodes: 0, forgottenAnswers: 1_000, tombstonesBefore: 0 }, 7);
    await save(again, "a", node("4"));
    await again.trimNodes({ nodes: 0, forgottenAnswers: 1, tombstonesBefore: 0 }, 8);
    expect(await forgotten(again)).toEqual([false, false, false, true]);
  });

  test("are not left behind where a tombstone was only too old", async () => {
    const store = await openWithChats("a");
    await save(store, "a", node("1"));
    await store.removeChat("me", "a", 1);
    await store.trimNodes({ nodes: 10, forgottenAnswers: 10, tombstonesBefore: 2 }, 2);
    expect(await store.knownHashes(["answer-1"])).toEqual(new Set());
    expect(await store.isAnswerForgotten("answer-1", undefined)).toBe(false);
  });
});

const claimOf = (node: number, owner = "me") => ({
  node,
  isLine: true,
  owner,
  conversation: `conversation of ${owner}`,
  until: 50,
  now: 0,
});
const ownerOf = (owner: string) => ({ upstream: "me", chat: "a", owner });

describe("claims", () => {
  test("give a line to one turn, at its end only, and take its end away until they end", async () => {
    const path = await freshPath();
    const [mine, yours] = [await openStore(path), await openStore(path)];
    await mine.saveChat(chat("a"));
    const [first, second] = [await save(mine, "a", node("1")), await save(mine, "a", node("2"))];
    expect(await yours.claimChat(claimOf(first))).toBe(false);
    expect(await mine.claimChat(claimOf(second, "me"))).toBe(true);
    expect(await yours.claimChat(claimOf(second, "you"))).toBe(false);
    expect(await mine.claimChat(claimOf(second, "me"))).toBe(false);
    for (const id of [first, second])
      expect((await yours.findNode(id, 49))?.chat).toEqual({
        upstream: "me",
        chat: "a",
        scope: "s",
        answering: "conversation of me",
      });
    expect((await yours.findNode(second, 50))?.chat).toEqual({ upstream: "me", chat: "a", scope: "s" });
  });

  test("give a tree to one turn, after any of its nodes, and leave its end", async () => {
    const store = await openWithChats("a");
    const [first, second] = [await save(store, "a", node("1")), await save(store, "a", node("2"))];
    expect(await store.claimChat({ ...claimOf(first), isLine: false })).toBe(true);
    for (const id of [first, second]) {
      expect(await store.claimChat({ ...claimOf(id, "you"), isLine: false })).toBe(false);
      expect((await store.findNode(id, 0))?.chat).toMatchObject({
        end: second,
        answering: "conversation of me",
      });
    }
  });

  test.each([true, false])("do not exist for chats that are due or unknown (line: %s)", async (isLine) => {
    const store = await openWithChats("a");
    const id = await save(store, "a", node("1"));
    expect(await store.claimChat({ ...claimOf(id), isLine, now: 100, until: 200 })).toBe(false);
    expect(await store.claimChat({ ...claimOf(id + 1), isLine })).toBe(false);
    expect(await store.claimChat({ ...claimOf(id), isLine, now: 99, until: 200 })).toBe(true);
  });

  test("of a killed process expire: a tree can be continued then, a line has no end", async () => {
    const store = await openWithChats("a", "b");
    const [line, tree] = [await save(store, "a", node("1")), await save(store, "b", node("2"))];
    await store.claimChat({ ...claimOf(line, "killed"), until: 20 });
    await store.claimChat({ ...claimOf(tree, "killed"), isLine: false, until: 20 });
    for (const [isLine, id] of [[true, line] as const, [false, tree] as const]) {
      expect(await store.claimChat({ ...claimOf(id), isLine, now: 19 })).toBe(false);
      expect(await store.claimChat({ ...claimOf(id), isLine, now: 20 })).toBe(!isLine);
    }
    // The one before has nothing to release any more.
    await store.releaseChat({ ...ownerOf("killed"), chat: "b" });
    expect(await store.claimChat({ ...claimOf(tree, "third"), isLine: false, now: 49 })).toBe(false);
  });

  test("released with an end restore it, so that the next turn can go on there", async () => {
    const path = await freshPath();
    const [mine, yours] = [await openStore(path), await openStore(path)];
    await mine.saveChat(chat("a"));
    const id = await save(mine, "a", node("1"));
    await mine.claimChat(claimOf(id, "me"));
    await mine.releaseChat(ownerOf("me"), id);
    expect((await yours.findNode(id, 0))?.chat).toEqual({ upstream: "me", chat: "a", scope: "s", end: id });
    expect(await yours.claimChat(claimOf(id, "you"))).toBe(true);
  });

  test("released without an end leave a line without one, and a tree as it was", async () => {
    const store = await openWithChats("a", "b");
    const [line, tree] = [await save(store, "a", node("1")), await save(store, "b", node("2"))];
    await store.claimChat(claimOf(line, "me"));
    await store.claimChat({ ...claimOf(tree, "me"), isLine: false });
    await store.releaseChat(ownerOf("me"));
    await store.releaseChat({ ...ownerOf("me"), chat: "b" });
    expect((await store.findNode(line, 0))?.chat).toEqual({ upstream: "me", chat: "a", scope: "s" });
    expect((await store.findNode(tree, 0))?.chat).toEqual({
      upstream: "me",
      chat: "b",
      scope: "s",
      end: tree,
    });
    expect(await store.claimChat(claimOf(line, "you"))).toBe(false);
    expect(await store.claimChat({ ...claimOf(tree, "you"), isLine: false })).toBe(true);
  });

  test("of another owner are neither released nor extended", async () => {
    const store = await openWithChats("a");
    const id = await save(store, "a", node("1"));
    await store.claimChat(claimOf(id, "me"));
    await store.releaseChat(ownerOf("you"), id);
    await store.extendClaim(ownerOf("you"), 99);
    await store.releaseChat({ ...ownerOf("me"), upstream: "you" }, id);
    expect(await store.claimChat(claimOf(id, "you"))).toBe(false);
    expect((await store.findNode(id, 49))?.chat).toEqual({
      upstream: "me",
      chat: "a",
      scope: "s",
      answering: "conversation of me",
    });
    expect((await store.findNode(id, 50))?.chat).toEqual({ upstream: "me", chat: "a", scope: "s" });
  });

  test("last longer when extended, and not again once ended", async () => {
    const store = await openWithChats("a");
    const id = await save(store, "a", node("1"));
    const tree = { ...claimOf(id, "me"), isLine: false };
    await store.claimChat({ ...tree, until: 10 });
    await store.extendClaim(ownerOf("me"), 80.5);
    expect(await store.claimChat({ ...tree, owner: "you", now: 80 })).toBe(false);
    await store.releaseChat(ownerOf("me"));
    await store.extendClaim(ownerOf("me"), 90);
    expect(await store.claimChat({ ...tree, owner: "you" })).toBe(true);
  });

  test("end when the turn is saved, which is the chat's new end", async () => {
    const path = await freshPath();
    const [mine, yours] = [await openStore(path), await openStore(path)];
    await mine.saveChat(chat("a"));
    const first = await save(mine, "a", node("1"));
    await mine.claimChat(claimOf(first, "me"));
    const second = await save(mine, "a", node("2", { parent: first }));
    // Late, from the turn that is over.
    await mine.releaseChat(ownerOf("me"), first);
    await mine.extendClaim(ownerOf("me"), 99);
    expect((await yours.findNode(second, 0))?.chat).toEqual({
      upstream: "me",
      chat: "a",
      scope: "s",
      end: second,
    });
    expect(await yours.claimChat(claimOf(first, "you"))).toBe(false);
    expect(await yours.claimChat(claimOf(second, "you"))).toBe(true);
  });

  test("of a thousand chats each go to one of three processes", async () => {
    const path = await freshPath();
    const store = await openStore(path);
    for (let n = 1; n <= 1_000; n++) {
      await store.saveChat(chat(`chat-${n}`, 1_000));
      const id = await save(store, `chat-${n}`, node(`${n}`));
      expect(id).toBe(n);
      // Some were claimed by a process that was killed.
      if (n % 4 === 1) await store.claimChat({ ...claimOf(id, "killed"), isLine: false, until: n % 100 });
    }
    const reports = await Promise.all(
      Array.from({ length: 3 }, () => outputLines(startWorker("claim", path))),
    );
    expect(reports.map((lines) => lines.length)).toEqual([1_000, 1_000, 1_000]);
    expect(reports.flat().filter((line) => line.startsWith("claimed")).length).toBe(1_000);
    expect(new Set(reports.flat()).size).toBe(1_001);
  });
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
  const claim = { node: 1, isLine: false, owner: "o", conversation: "c", until: 50, now: 0 };
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
    "one node": ({ conversations }) => conversations.findNode(9, 0),
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

describe("SqliteStore and the reference", () => {
  const chatName = fc.tuple(fc.constantFrom("me", "you"), fc.constantFrom("a", "b", "c"));
  const now = fc.nat(12);
  const later = fc.nat(30);
  const nodeId = fc.integer({ min: 1, max: 25 });
  const conversation = fc.constantFrom("c", "d");
  const owner = fc.constantFrom("o", "p");
  const hashes = (prefix: string, minLength: number) =>
    fc.array(
      fc.nat(5).map((n) => `${prefix}-${n}`),
      { minLength, maxLength: 2 },
    );
  const newNode: fc.Arbitrary<NewNode> = fc.record(
    {
      answerId: fc.string(),
      parent: nodeId,
      conversation,
      paths: hashes("path", 1),
      messages: hashes("message", 0),
      answers: hashes("answer", 1),
      systemTexts: hashes("system", 0),
      system: fc.constantFrom("", "system"),
      affinity: fc.constantFrom("session"),
    },
    {
      requiredKeys: ["answerId", "conversation", "paths", "messages", "answers", "systemTexts", "system"],
    },
  );
  const [path, answer] = ["path", "answer"].map((prefix) => fc.nat(5).map((n) => `${prefix}-${n}`));
  const query: fc.Arbitrary<NodeQuery> = fc.oneof(
    fc.record({ by: fc.constant("path" as const), hash: path ?? fc.string() }),
    fc.record({ by: fc.constant("answer" as const), hash: answer ?? fc.string() }),
    fc.record({ by: fc.constant("conversation" as const), hash: conversation }),
    fc.record({
      by: fc.constant("conversation-answer" as const),
      conversation,
      answer: answer ?? fc.string(),
    }),
  );
  // With a limit, any of the nodes with an answer will do; see above.
  const limitFor = ({ by }: NodeQuery, limit: number) => (by === "answer" ? 1_000 : limit);

  type Step = (store: ConversationStore) => Promise<unknown>;
  const saveNode = fc.tuple(chatName, newNode).map(([[upstream, chat], node]): Step => {
    return (store) => store.saveNode(node, { upstream, chat });
  });
  const saveChat = fc
    .tuple(chatName, fc.constantFrom("s", "t"), later)
    .map(([[upstream, chat], scope, dueAt]): Step => {
      return (store) => store.saveChat({ upstream, chat, scope, dueAt });
    });
  const findNodes = fc.tuple(query, fc.nat(6), now).map(([query, limit, now]): Step => {
    return (store) => store.findNodes(query, limitFor(query, limit), now);
  });
  const claimChat = fc
    .record({ node: nodeId, isLine: fc.boolean(), owner, conversation, until: later, now })
    .map((claim): Step => {
      return (store) => store.claimChat(claim);
    });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: saveChat },
    { weight: 6, arbitrary: saveNode },
    { weight: 6, arbitrary: findNodes },
    { weight: 6, arbitrary: claimChat },
    fc.tuple(nodeId, now).map(([id, now]): Step => {
      return (store) => store.findNode(id, now);
    }),
    fc.array(fc.oneof(path ?? fc.string(), answer ?? fc.string())).map((hashes): Step => {
      return (store) => store.knownHashes(hashes);
    }),
    fc.tuple(chatName, owner, later).map(([[upstream, chat], owner, until]): Step => {
      return (store) => store.extendClaim({ upstream, chat, owner }, until);
    }),
    fc
      .tuple(chatName, owner, fc.option(nodeId, { nil: undefined }))
      .map(([[upstream, chat], owner, end]): Step => {
        return (store) => store.releaseChat({ upstream, chat, owner }, end);
      }),
    fc.tuple(chatName, later).map(([name, dueAt]): Step => {
      return (store) => store.postponeChat(...name, dueAt);
    }),
    fc.tuple(now, fc.nat(4)).map(([now, limit]): Step => {
      return (store) => store.listDueChats(["me", "you"], now, limit);
    }),
    now.map((now): Step => {
      return (store) => store.countDueChats(now);
    }),
    fc.tuple(chatName, now).map(([name, now]): Step => {
      return (store) => store.detachNodes(...name, now);
    }),
    fc.tuple(chatName, now).map(([name, now]): Step => {
      return (store) => store.removeChat(...name, now);
    }),
    fc.tuple(fc.integer({ min: 4, max: 25 }), now, now).map(([nodes, tombstonesBefore, now]): Step => {
      return (store) => store.trimNodes({ nodes, forgottenAnswers: 1_000, tombstonesBefore }, now);
    }),
    fc.tuple(answer ?? fc.string(), fc.constantFrom("session", undefined)).map(([answer, affinity]): Step => {
      return (store) => store.isAnswerForgotten(answer, affinity);
    }),
  );

  test("agree in 10,000 random calls", async () => {
    const seen = { claims: 0, refusals: 0, ended: 0, answering: 0, tombstones: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 200, maxLength: 200, size: "max" }), async (steps) => {
        const path = await freshPath();
        const stores = [await SqliteStore.open(path), await SqliteStore.open(path)] as const;
        const reference = new ReferenceConversationStore();
        for (const [index, call] of steps.entries()) {
          // Two connections take turns, as two processes do.
          const result = await call(stores[index % 2 === 0 ? 0 : 1]);
          expect(result).toEqual(await call(reference));
          if (result === true) seen.claims++;
          if (result === false) seen.refusals++;
          if (!Array.isArray(result)) continue;
          for (const { chat, paths } of result as Partial<ConversationNode>[]) {
            if (paths && !chat) seen.tombstones++;
            if (paths && chat?.end !== undefined) seen.ended++;
            if (paths && chat?.answering !== undefined) seen.answering++;
          }
        }
        for (const store of stores) await store.close();
      }),
      { numRuns: 50, interruptAfterTimeLimit: 25_000 },
    );
    // All of it happens often enough to be compared.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
  });
});
