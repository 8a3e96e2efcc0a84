import { expect, onTestFinished, test } from "vitest";
import { conversationKeys } from "../../src/store/redis/conversations/conversation-script.js";
import { startGateway } from "../gateway.js";
import { startCountingProxy } from "../store/redis/counting-proxy.js";
import { RedisServer } from "../store/redis/redis-server.js";

type Message = { role: "user" | "assistant"; content: string };

const keys = Object.values(conversationKeys);

test.each([
  ["kimi-web", "by their history"],
  ["kimi-web", "by an id and their history"],
  ["kimi-web", "by an id"],
  ["kimi-legacy", "by their history"],
] as const)("%s: turns that continue %s find, claim and save in three round trips", async (kind, how) => {
  const server = await RedisServer.start({ settings: { appendonly: "no" } });
  onTestFinished(() => server.stop());
  const proxy = await startCountingProxy(server.port, (sent) => keys.some((key) => sent.includes(key)));
  const gateway = await startGateway({ kind, redis: `redis://127.0.0.1:${proxy.port}` });

  /** The round trips of each turn of a new conversation. */
  const converse = async (name: string): Promise<number[]> => {
    const messages: Message[] = [];
    const counts: number[] = [];
    let id: string | undefined;
    for (let turn = 1; turn <= 6; turn++) {
      messages.push({ role: "user", content: `${name} ${turn}` });
      const before = proxy.roundTrips;
      const sent = how === "by an id" ? messages.slice(-1) : messages;
      const named = how === "by their history" || id === undefined ? {} : { conversation_id: id };
      const answer = await gateway.client.chat.completions.create({
        model: "kimi",
        messages: sent,
        ...named,
      });
      counts.push(proxy.roundTrips - before);
      messages.push({ role: "assistant", content: answer.choices[0]?.message.content ?? "" });
      id = "conversation_id" in answer ? String(answer.conversation_id) : undefined;
    }
    return counts;
  };
  // Redis gets the sources of the scripts.
  await converse("first");
  const [first, ...others] = await converse("second");
  expect(first).toBe(2);
  // The median: where the machine is busy, what was found is too old for the claim and is found again.
  expect(others.toSorted((one, other) => one - other)[2]).toBe(3);
  expect((await gateway.store.listChats({ limit: 9 })).total).toBe(2);
});
