import { expect, test } from "vitest";
import { listKimiChats } from "../conversations/dialogue.js";
import { Random } from "../conversations/model/random.js";
import { ReplicaSet } from "./replica-set.js";

const conversations = 200;
const turns = 10;
const concurrency = 6;

test("200 conversations of ten turns that jump between three replicas: one chat each, and only their own words", {
  timeout: 240_000,
}, async () => {
  // Every access token is refreshed once a second, and a refresh token is worth nothing after its use.
  const simulator = { accessTokenSeconds: 60, refreshGraceSeconds: 0, deltaMilliseconds: 2 };
  const replicas = await ReplicaSet.start({
    ...{ concurrency, simulator },
    config: { queue: { depth: 1_000, waitSeconds: 120 } },
  });
  const random = new Random(20_261_129);
  const foreign: string[] = [];
  const failed: string[] = [];
  const run = async (number: number) => {
    const messages: { role: "user" | "assistant"; content: string }[] = [];
    for (let turn = 0; turn < turns; turn++) {
      messages.push({ role: "user", content: `word-${number}-${turn} sim:recall` });
      const answer = await replicas.chat(random.integer(0, 2), messages, { stream: random.chance(0.5) });
      if (answer.status !== 200 || answer.code !== undefined) failed.push(`${answer.status} ${answer.code}`);
      const recalled = [...new Set(answer.text.match(/word-\d+-\d+/g))];
      const own = Array.from({ length: turn }, (_, before) => `word-${number}-${before}`);
      if (recalled.join() !== own.join()) foreign.push(`${number}, turn ${turn}: ${recalled.join()}`);
      messages.push({ role: "assistant", content: answer.text });
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: conversations }, (_, number) => run(number)));
  const seconds = (performance.now() - startedAt) / 1_000;
  const chats = (await listKimiChats(replicas.simulator)).length;
  const { refreshes } = replicas.simulator.counts();
  const { maxOpenStreams } = replicas;
  console.table([
    {
      turns: conversations * turns,
      seconds: Math.round(seconds),
      chats,
      refreshes,
      "answers at a time": maxOpenStreams,
      "foreign words": foreign.length,
    },
  ]);
  expect(failed).toEqual([]);
  expect(foreign).toEqual([]);
  expect(chats).toBe(conversations);
  expect(maxOpenStreams).toBe(concurrency);
  // A token pair that two replicas had used would have ended the login.
  const { body } = await replicas.get(0, "/v1/accounts");
  expect(JSON.parse(body).data[0]).toMatchObject({ state: "ok" });
});
