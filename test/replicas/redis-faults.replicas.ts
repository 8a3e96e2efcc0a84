import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";
import { expect, test } from "vitest";
import { listKimiChats } from "../conversations/dialogue.js";
import { ReplicaSet } from "./replica-set.js";

type Message = { role: "user" | "assistant"; content: string };

/** Conversations that go on, one turn after the other, until they are stopped. */
class Traffic {
  readonly failures: string[] = [];
  readonly foreign: string[] = [];
  turns = 0;
  longest = 0;
  #isStopped = false;
  readonly #running: Promise<void>[];

  constructor(replicas: ReplicaSet, conversations: number) {
    this.#running = Array.from({ length: conversations }, (_, number) => this.#run(replicas, number));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  async #run(replicas: ReplicaSet, number: number): Promise<void> {
    let messages: Message[] = [];
    for (let turn = 0; !this.#isStopped; turn++) {
      if (turn % 8 === 0) messages = [];
      messages.push({ role: "user", content: `word-${number}-${turn} sim:recall` });
      const startedAt = performance.now();
      const answer = await replicas.chat((number + turn) % replicas.size, messages, {
        stream: turn % 2 === 0,
      });
      this.longest = Math.max(this.longest, performance.now() - startedAt);
      this.turns++;
      if (answer.status !== 200 || answer.code !== undefined)
        this.failures.push(`${answer.status} ${answer.code}`);
      const known = new Set(messages.flatMap(({ content }) => content.match(/word-\d+-\d+/g) ?? []));
      for (const word of answer.text.match(/word-\d+-\d+/g) ?? [])
        if (!known.has(word)) this.foreign.push(word);
      messages.push({ role: "assistant", content: answer.text });
      await sleep(20);
    }
  }
}

type Fault = {
  name: string;
  break(replicas: ReplicaSet): Promise<void>;
  mend(replicas: ReplicaSet): Promise<void>;
};

const faults: Fault[] = [
  {
    name: "restarted",
    break: ({ redis }) => redis.restart(),
    mend: async () => {},
  },
  {
    name: "gone for five seconds",
    break: async ({ redis }) => {
      await redis.kill();
      await sleep(5_000);
    },
    mend: ({ redis }) => redis.restart(),
  },
  {
    name: "silent for ten seconds",
    break: async ({ redis }) => {
      redis.pause();
      await sleep(10_000);
    },
    mend: async ({ redis }) => redis.resume(),
  },
  {
    name: "full",
    break: async ({ redis }) => {
      await redis.command("CONFIG", "SET", "maxmemory", "1mb");
      await sleep(3_000);
    },
    mend: async ({ redis }) => {
      await redis.command("CONFIG", "SET", "maxmemory", "0");
    },
  },
  {
    name: "emptied",
    break: async ({ redis }) => {
      await redis.command("FLUSHALL");
    },
    mend: async () => {},
  },
  {
    name: "without its scripts",
    break: async ({ redis }) => {
      await redis.command("SCRIPT", "FLUSH");
    },
    mend: async () => {},
  },
  {
    name: "read-only",
    break: async ({ redis }) => {
      await redis.command("REPLICAOF", "127.0.0.1", "1");
      await sleep(3_000);
    },
    mend: async ({ redis }) => {
      await redis.command("REPLICAOF", "NO", "ONE");
    },
  },
  {
    name: "with another password",
    break: async ({ redis }) => {
      const client = createClient({ url: redis.url, RESP: 2 });
      client.on("error", () => {});
      await client.connect();
      await client.sendCommand(["CONFIG", "SET", "requirepass", "another"]);
      await client.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
      await sleep(3_000);
      await client.sendCommand(["CONFIG", "SET", "requirepass", ""]);
      client.destroy();
    },
    mend: async () => {},
  },
];

test.each(faults)(
  "Redis is $name: turns are answered, nothing mixes, nothing hangs, and all heals",
  {
    timeout: 120_000,
  },
  async (fault) => {
    const replicas = await ReplicaSet.start({ replicas: 2, concurrency: 8 });
    const traffic = new Traffic(replicas, 6);
    await sleep(1_500);
    await fault.break(replicas);
    await fault.mend(replicas);
    await sleep(3_000);
    const turnsAtMend = traffic.turns;
    await sleep(1_000);
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(traffic.foreign).toEqual([]);
    expect(traffic.turns).toBeGreaterThan(turnsAtMend);
    // The deadline of a call to Redis is seconds; a turn makes a few of them.
    expect(traffic.longest).toBeLessThan(25_000);
    for (const index of [0, 1]) {
      const { status, body } = await replicas.get(index, "/readyz");
      expect([status, JSON.parse(body).store]).toEqual([200, undefined]);
    }
    // A conversation goes on natively again.
    const first = await replicas.ask(0, "one sim:recall");
    const chats = await listKimiChats(replicas.simulator);
    const messages: Message[] = [
      { role: "user", content: "one sim:recall" },
      { role: "assistant", content: first.text },
      { role: "user", content: "two sim:recall" },
    ];
    await replicas.chat(1, messages);
    expect(await listKimiChats(replicas.simulator)).toEqual(chats);
  },
);
