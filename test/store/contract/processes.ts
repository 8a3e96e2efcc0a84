import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Store } from "../../../src/core/store.js";
import { openStore } from "../../../src/store/open-store.js";
import { outputLines, type StoreConfig, startWorker } from "../worker.js";
import { chat, claimOf, node, saveNode } from "./fixtures.js";

async function open(config: StoreConfig): Promise<Store> {
  const store = await openStore(config);
  onTestFinished(() => store.close());
  return store;
}

/**
 * The contract between several processes. `createConfig` names an empty storage, which goes with the test;
 * `checkStorage` fails unless a storage is intact.
 */
export function testProcesses(
  createConfig: () => Promise<StoreConfig>,
  checkStorage: (config: StoreConfig) => void,
): void {
  describe("with several processes", () => {
    test("a lock never goes to two of four processes that open a new store at once", async () => {
      const config = await createConfig();
      const folder = await mkdtemp(join(tmpdir(), "moonbridge-lock-"));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const file = join(folder, "inside");
      const reports = await Promise.all(
        Array.from({ length: 4 }, () => outputLines(startWorker("race", config, { file }))),
      );
      const lines = reports.flat();
      expect(new Set(lines)).toEqual(new Set(["alone", "refused"]));
      expect(lines.length).toBe(800);
    });

    test("each of a thousand chats is claimed by one of three processes", async () => {
      const config = await createConfig();
      const store = await open(config);
      for (let n = 1; n <= 1_000; n++) {
        await store.saveChat(chat(`chat-${n}`, 1_000));
        const id = await saveNode(store, `chat-${n}`, node(`${n}`));
        expect(id).toBe(n);
        // Some were claimed by a process that was killed.
        const claim = { ...claimOf(id, "killed"), isLine: false, until: n % 100, dueAt: 1_000 };
        if (n % 4 === 1) await store.claimChat(claim);
      }
      const reports = await Promise.all(
        Array.from({ length: 3 }, () => outputLines(startWorker("claim", config))),
      );
      expect(reports.map((lines) => lines.length)).toEqual([1_000, 1_000, 1_000]);
      expect(reports.flat().filter((line) => line.startsWith("claimed")).length).toBe(1_000);
      expect(new Set(reports.flat()).size).toBe(1_001);
    });

    test("every acknowledged write survives kill -9, and each node is whole", async () => {
      const config = await createConfig();
      for (let round = 0; round < 5; round++) {
        const child = startWorker("write", config);
        const lines = outputLines(child);
        await once(child.stdout ?? child, "data");
        const killedAt = Date.now() + 50 + Math.random() * 200;
        const reader = await open(config);
        while (Date.now() < killedAt) {
          await expectWholeNodes(reader);
          await sleep(1);
        }
        child.kill("SIGKILL");
        const written = (await lines).map(Number);

        for (const store of [reader, await open(config)]) {
          for (const n of written) {
            const [node] = await store.findNodes({ by: "path", hash: `other-path-${n}` }, 1, 0);
            expect(node?.answerId).toBe(`answer-${n}`);
          }
          await expectWholeNodes(store);
          expect((await store.listKeys()).length).toBeGreaterThan(written.at(-1) ?? Number.POSITIVE_INFINITY);
          expect((await store.findCredentials("me"))?.savedAt).toBeGreaterThanOrEqual(written.at(-1) ?? 0);
          await store.close();
        }
        checkStorage(config);
      }
    });
  });
}

/** The newest nodes of the process `write`: the last one of each chat is its end, and all but the last have children. */
async function expectWholeNodes(store: Store): Promise<void> {
  const nodes = await store.findNodes({ by: "conversation", hash: "c" }, 12, 0);
  const parents = new Set(nodes.map(({ parent }) => parent));
  const newest = new Map(nodes.toReversed().map(({ chat, id }) => [chat?.chat, id]));
  for (const { id, chat, hasChildren } of nodes) {
    expect(chat?.end).toBe(newest.get(chat?.chat));
    expect(hasChildren).toBe(parents.has(id));
  }
}
