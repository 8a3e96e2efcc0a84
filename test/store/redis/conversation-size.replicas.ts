import { expect, onTestFinished, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { keyedHash } from "../../../src/lib/hash.js";
import { chat, claimOf, type NewNode, node, type OpenConversations, queries } from "../contract/fixtures.js";
import { openConversations } from "./conversation-storage.js";
import { RedisServer } from "./redis-server.js";

const turnsOfChat = 10;
/** `STORED_NODES=300000` takes two minutes. */
const storedNodes = Number(process.env.STORED_NODES ?? 50_000);

async function startServer(): Promise<RedisServer> {
  const server = await RedisServer.start({ settings: { appendonly: "no", "slowlog-log-slower-than": "0" } });
  onTestFinished(() => server.stop());
  return server;
}

/** Commands that wait at once: each has a deadline of seconds, also on a busy machine. */
const atOnce = 200;
const chatOfTen = (n: number) => `chat-${Math.floor(n / turnsOfChat)}`;

/** Saves nodes, many at a time. */
async function fill(
  store: OpenConversations,
  count: number,
  toNode: (n: number) => NewNode,
  chatOf = chatOfTen,
): Promise<void> {
  for (let start = 0; start < count; start += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, count - start) }, (_, index) => start + index);
    const chats = new Set(numbers.map(chatOf));
    await Promise.all([...chats].map((name) => store.saveChat(chat(name))));
    await Promise.all(numbers.map((n) => store.saveNode(toNode(n), { upstream: "me", chat: chatOf(n) })));
  }
}

/** How many commands of each kind Redis has run. */
async function countCommands(server: RedisServer): Promise<Map<string, number>> {
  const text = String(await server.command("INFO", "commandstats"));
  const counts = [...text.matchAll(/^cmdstat_([\w|]+):calls=(\d+)/gm)];
  return new Map(counts.map(([, name = "", calls]) => [name, Number(calls)]));
}

/** The commands that a call takes. */
async function commandsOf(server: RedisServer, call: () => Promise<unknown>): Promise<Map<string, number>> {
  const before = await countCommands(server);
  await call();
  const after = await countCommands(server);
  const differences = [...after].map(([name, calls]) => [name, calls - (before.get(name) ?? 0)] as const);
  return new Map(differences.filter(([name, calls]) => calls > 0 && name !== "info"));
}

test("calls take as many commands with 20,000 nodes of one path, answer and conversation as with the fewest", async () => {
  const common = { answers: ["answer-x", "other-answer-x"], paths: ["path-x", "other-path-x"] };
  const calls: Record<string, (store: OpenConversations) => Promise<unknown>> = {
    ...Object.fromEntries(
      queries.map((query) => [
        `nodes by ${query.by}`,
        async (store: OpenConversations) =>
          expect(await store.findNodes(query, limits.nodeCandidates, 0)).toHaveLength(limits.nodeCandidates),
      ]),
    ),
    "a path": async (store) => expect(await store.findPath(9, 3, 0)).toHaveLength(1),
    "known hashes": (store) => store.knownHashes(["path-x", "other-answer-x", "?"]),
    "a claim": async (store) => expect(await store.claimChat({ ...claimOf(1), isLine: false })).toBe(true),
    "a claim's extension": (store) =>
      store.extendClaim({ upstream: "me", chat: "chat-0", owner: "me" }, Date.now()),
    "a claim's release": (store) => store.releaseChat({ upstream: "me", chat: "chat-0", owner: "me" }, 1),
    "a new node": (store) =>
      store.saveNode(node("new", { ...common, parent: 5 }), { upstream: "me", chat: "chat-0" }),
    "a forgotten answer": (store) => store.isAnswerForgotten("answer-x", undefined),
    "a trim with nothing to do": (store) =>
      store.trimNodes({ nodes: 1_000_000, forgottenAnswers: 1, tombstonesBefore: 0 }, 0),
    "a page of chats": (store) => store.listChats({ upstream: "me", limit: 2 }),
    "due chats": (store) => store.listDueChats(["me"], 100, 2),
    "a count": (store) => store.countDueChats(100),
    "a chat's detachment": (store) => store.detachNodes("me", "chat-1", 0),
    "a chat's removal": (store) => store.removeChat("me", "chat-2", 0),
  };
  const counts = await Promise.all(
    [2 * limits.nodeCandidates, 20_000].map(async (size) => {
      const server = await startServer();
      const store = await openConversations(server.url);
      await fill(store, size, (n) =>
        node(`${n}`, n % 2 ? { ...common, conversation: "conversation-x" } : common),
      );
      const found = new Map<string, Map<string, number>>();
      for (const [name, call] of Object.entries(calls))
        found.set(name, await commandsOf(server, () => call(store)));
      expect([...(await countCommands(server)).keys()]).not.toContain("scan");
      expect([...(await countCommands(server)).keys()]).not.toContain("keys");
      return found;
    }),
  );
  const [few, many] = counts;
  for (const name of Object.keys(calls)) expect([name, many?.get(name)]).toEqual([name, few?.get(name)]);
});

test(`${storedNodes} nodes are looked up, detached and trimmed in batches`, {
  timeout: 300_000,
}, async () => {
  const server = await startServer();
  const store = await openConversations(server.url);
  const hash = (kind: string, n: number) => keyedHash("key", kind, `${n}`);
  const count = storedNodes;
  const isFirst = (n: number) => n % turnsOfChat === 0;
  const toNode = (n: number): NewNode => ({
    answerId: `0e4e2f8a-2f5a-4c3e-9b1d-${String(n).padStart(12, "0")}`,
    ...(isFirst(n) ? {} : { parent: n }),
    conversation: hash("conversation", n),
    paths: [hash("path", n), hash("other path", n)],
    messages: [hash("message", n)],
    answers: [hash("answer", n), hash("other answer", n)],
    systemTexts: [hash("system", n % 100)],
    system: hash("exact system", n % 100),
  });
  const before = await memoryOf(server);
  await fill(store, count, toNode);
  const perNode = ((await memoryOf(server)) - before) / count;
  process.stdout.write(
    `\nmemory per node with two forms, chats of ten turns: ${Math.round(perNode)} bytes\n`,
  );

  await server.command("SLOWLOG", "RESET");
  await server.command("CONFIG", "SET", "slowlog-log-slower-than", "1000");
  expect(await store.findNodes({ by: "path", hash: hash("other path", 12_345) }, 17, 0)).toHaveLength(1);
  // A chat of many turns.
  await fill(
    store,
    20_000,
    (n) => node(`long-${n}`),
    () => "long",
  );
  await store.removeChat("me", "long", 5);
  await store.trimNodes({ nodes: count, forgottenAnswers: 10, tombstonesBefore: 5 }, 6);
  expect(await server.command("ZCARD", "{moonbridge}:1:node-order")).toBe(count);
  await store.trimNodes({ nodes: count - 10_000, forgottenAnswers: 10, tombstonesBefore: 6 }, 6);
  await store.trimNodes({ nodes: 10, forgottenAnswers: 1_000_000, tombstonesBefore: 6 }, 7);
  expect(await server.command("ZCARD", "{moonbridge}:1:node-order")).toBe(10);
  const slow = (await server.command("SLOWLOG", "GET", "-1")) as [number, number, number, string[]][];
  const longest = Math.max(0, ...slow.map(([, , microseconds]) => microseconds));
  process.stdout.write(`scripts longer than a millisecond: ${slow.length}, the longest ${longest} µs\n`);
  const rest = (await memoryOf(server)) - before;
  process.stdout.write(`memory once all but 10 are forgotten: ${Math.round(rest / 1e6)} MB\n`);
});

async function memoryOf(server: RedisServer): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(String(await server.command("INFO", "memory")))?.[1]);
}
