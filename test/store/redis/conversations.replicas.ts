import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { chat, claimOf, findIds, findNode, node, openWithChats, saveNode } from "../contract/fixtures.js";
import { testRandomConversationCalls } from "../contract/random-calls.js";
import { openConversations } from "./conversation-storage.js";
import { RedisServer } from "./redis-server.js";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ settings: { appendonly: "no" } });
});
afterAll(() => server.stop());

async function createStorage() {
  await server.command("FLUSHALL");
  return () => openConversations(server.url);
}

describe("with scripts that Redis forgets all the time", () => {
  testRandomConversationCalls(async () => {
    const open = await createStorage();
    let isOver = false;
    onTestFinished(() => {
      isOver = true;
    });
    const forget = async (): Promise<void> => {
      for (let n = 0; n < 20 && !isOver; n++) await server.command("SCRIPT", "FLUSH");
    };
    void forget();
    return open;
  });

  test("a turn is saved after its chat, although only the chat's script is forgotten", async () => {
    const open = await createStorage();
    const [mine, yours] = [await open(), await open()];
    for (let n = 0; n < 20; n++) {
      await server.command("SCRIPT", "FLUSH");
      // So that Redis knows how to save nodes.
      await yours.saveNode(node("x"), { upstream: "me", chat: "unknown" });
      const saving = mine.saveChat(chat(`${n}`));
      await mine.saveNode(node(`${n}`), { upstream: "me", chat: `${n}` });
      await saving;
      expect(await findIds(yours, { by: "path", hash: `path-${n}` })).toHaveLength(1);
    }
  });
});

describe("with clocks five minutes apart", () => {
  const apart = 5 * 60_000;
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ["behind", -apart],
    ["ahead", apart],
  ])("a claim of a process %s keeps others out until it is over", async (_, difference) => {
    const store = await openWithChats(createStorage, "a");
    await store.saveChat(chat("a", Date.now() + 3_600_000));
    const tree = { ...claimOf(await saveNode(store, "a", node("1"))), isLine: false };
    const at = (now: number, length: number = limits.chatClaim) => ({
      ...{ ...tree, now, until: now + length, dueAt: now + 3_600_000 },
    });
    const now = Date.now();
    expect(await store.claimChat(at(now + difference))).toBe(true);
    for (const other of [-apart, 0, apart]) {
      expect(await store.claimChat({ ...at(now + other), owner: "you" })).toBe(false);
      expect((await findNode(store, tree.node, now + other))?.chat?.answering).toBe("conversation of me");
    }
    // Its extension is as long by its own clock, and its end is known to all.
    vi.useFakeTimers({ toFake: ["Date"], now: now + difference });
    await store.extendClaim({ upstream: "me", chat: "a", owner: "me" }, Date.now() + 3_600_000);
    vi.useRealTimers();
    expect(await store.claimChat({ ...at(now + apart), owner: "you" })).toBe(false);
    vi.useFakeTimers({ toFake: ["Date"], now: now + difference });
    await store.extendClaim({ upstream: "me", chat: "a", owner: "me" }, Date.now());
    vi.useRealTimers();
    expect((await findNode(store, tree.node, now - apart))?.chat).not.toHaveProperty("answering");
    expect(await store.claimChat({ ...at(now - apart), owner: "you" })).toBe(true);
  });
});
