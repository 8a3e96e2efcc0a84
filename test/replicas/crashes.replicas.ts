import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.js";
import { listKimiChats } from "../conversations/dialogue.js";
import { ReplicaSet } from "./replica-set.js";

test("a replica killed in mid-stream: its clients get an error, the others go on, its slots are free within the lease", {
  timeout: 120_000,
}, async () => {
  const replicas = await ReplicaSet.start({ concurrency: 2 });
  const slow = "sim:repeat=400 sim:slow=20";
  const cut = [1, 2].map(() => replicas.ask(0, slow, { stream: true }));
  const cutResults = Promise.allSettled(cut);
  await expect.poll(() => replicas.simulator.counts().openStreams).toBe(2);
  const waiting = [1, 2].map((index) => replicas.ask(index, "sim:say=next", { stream: true }));
  await sleep(300);
  const killedAt = performance.now();
  await replicas.kill(0);
  for (const result of await cutResults)
    expect(result.status === "rejected" || result.value.code !== undefined).toBe(true);
  for (const answer of await Promise.all(waiting))
    expect(answer).toMatchObject({ status: 200, text: "next" });
  expect(performance.now() - killedAt).toBeLessThan(limits.slotLease + 5_000);
  expect(replicas.maxOpenStreams).toBeLessThanOrEqual(2);
  await replicas.launch(0);
  expect(await replicas.ask(0, "sim:say=back")).toMatchObject({ status: 200, text: "back" });
});

test("replicas are replaced one by one under 200 streams, and each stream ends whole", {
  timeout: 180_000,
}, async () => {
  const replicas = await ReplicaSet.start({
    concurrency: 250,
    config: { server: { port: 0, shutdownSeconds: 60 } },
  });
  const streams = Array.from({ length: 200 }, (_, index) =>
    replicas.ask(index % 3, "sim:repeat=150 sim:slow=100", { stream: true }),
  );
  const results = Promise.all(streams);
  await expect.poll(() => replicas.simulator.counts().openStreams, { timeout: 20_000 }).toBe(200);
  for (const index of [0, 1, 2]) {
    const old = replicas.process(index);
    old.kill("SIGTERM");
    await replicas.launch(index);
    expect(await replicas.ask(index, "sim:say=new")).toMatchObject({ status: 200, text: "new" });
  }
  for (const answer of await results) expect(answer.code).toBeUndefined();
});

test("replicas whose clocks differ by ten minutes share slots, chats and logins", {
  timeout: 120_000,
}, async () => {
  const skew = new URL("./skewed-clock.mjs", import.meta.url).pathname;
  const minutes = [-5, 0, 5];
  const replicas = await ReplicaSet.start({
    ...{ concurrency: 2, simulator: { deltaMilliseconds: 2, refreshGraceSeconds: 0 } },
    environment: (index) => ({
      NODE_OPTIONS: `--import=${skew}`,
      CLOCK_SKEW_MS: String((minutes[index] ?? 0) * 60_000),
    }),
  });
  const dialogue = async (number: number) => {
    const messages: { role: "user" | "assistant"; content: string }[] = [];
    for (let turn = 0; turn < 6; turn++) {
      messages.push({ role: "user", content: `word-${number}-${turn} sim:recall` });
      const { status, text } = await replicas.chat((number + turn) % 3, messages);
      expect(status).toBe(200);
      expect([...new Set(text.match(/word-\d+-\d+/g))]).toEqual(
        Array.from({ length: turn }, (_, before) => `word-${number}-${before}`),
      );
      messages.push({ role: "assistant", content: text });
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => dialogue(number)));
  expect(replicas.maxOpenStreams).toBeLessThanOrEqual(2);
  expect(await listKimiChats(replicas.simulator)).toHaveLength(20);
});
