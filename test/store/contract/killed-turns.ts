import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "../../../src/store/open-store.js";
import { outputLines, type StoreConfig, startWorker } from "../worker.js";

/** The contract of claims and turns of processes that are killed. `createConfig` names an empty storage. */
export function testKilledTurns(createConfig: () => Promise<StoreConfig>): void {
  test("turns of lines follow each other one by one, whichever of three processes is killed", async () => {
    const config = await createConfig();
    const outputs: Promise<string[]>[] = [];
    const start = async () => {
      const child = startWorker("converse", config);
      outputs.push(outputLines(child));
      await once(child.stdout ?? child, "data");
      return child;
    };
    const children = await Promise.all([start(), start(), start()]);
    for (let round = 0; round < 9; round++) {
      await sleep(Math.random() * 100);
      children[round % 3]?.kill("SIGKILL");
      if (round < 6) children[round % 3] = await start();
    }
    const saved = new Set((await Promise.all(outputs)).flat());
    expect(saved.size).toBeGreaterThan(100);

    const store = await openStore(config);
    onTestFinished(() => store.close());
    const conversations = Array.from({ length: 8 }, (_, n) => `conversation-${n}`);
    for (const hash of conversations) {
      const nodes = await store.findNodes({ by: "conversation", hash }, 100_000, Date.now());
      for (const { answerId } of nodes) saved.delete(answerId);
      const continued = nodes.flatMap(({ parent }) => parent ?? []);
      expect(continued.length).toBe(new Set(continued).size);
      expect(nodes.filter(({ hasChildren }) => hasChildren).map(({ id }) => id)).toEqual(
        continued.toSorted((a, b) => b - a),
      );
      for (const { id, chat, hasChildren } of nodes)
        if (!hasChildren) expect([id, undefined]).toContain(chat?.end);
    }
    expect([...saved]).toEqual([]);
  });
}
