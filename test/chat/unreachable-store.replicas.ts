import { expect, onTestFinished, test } from "vitest";
import { postChat, startGateway } from "../gateway.js";
import { RedisServer } from "../store/redis/redis-server.js";

type Message = { role: "user" | "assistant"; content: string };

test.each(["kimi-web", "kimi-legacy"] as const)(
  "%s: while Redis is away a conversation is sent whole, and goes on in its chat once Redis is back",
  async (kind) => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    // More slots than turns: one that could not be given back is held until its lease ends.
    const gateway = await startGateway({ kind, redis: server.url, concurrency: 10 });
    const ask = async (messages: readonly Message[], fields = {}) => {
      const response = await postChat(gateway, { model: "kimi", messages, ...fields });
      const { error, conversation_id, choices } = (await response.json()) as {
        error?: { code: string; param: string };
        conversation_id?: string;
        choices?: { message: { content: string } }[];
      };
      return { status: response.status, error, id: conversation_id, text: choices?.[0]?.message.content };
    };
    const question: Message = { role: "user", content: "sim:say=one" };
    const history: Message[] = [question, { role: "assistant", content: "one" }];
    const { id } = await ask([question]);
    const second: Message = { role: "user", content: "sim:quote" };

    await server.kill();
    expect(await ask([...history, second])).toMatchObject({ status: 200 });
    expect(await ask([...history, second], { conversation_id: id })).toMatchObject({ status: 200 });
    expect(await ask([second], { conversation_id: id })).toMatchObject({
      status: 503,
      error: { code: "store_unavailable", param: "conversation_id" },
    });
    expect(gateway.logEntries()).toContainEqual(
      expect.objectContaining({
        msg: "a conversation could not be looked up in the store",
        error: expect.objectContaining({ name: "StoreError" }),
      }),
    );

    await server.restart();
    const turns = async () => (await gateway.store.listChats({ limit: 9 })).chats.map((chat) => chat.turns);
    await expect.poll(() => turns().catch(String), { timeout: 10_000 }).toEqual([1]);
    expect(await ask([second], { conversation_id: id })).toMatchObject({ status: 200, id });
    expect(await turns()).toEqual([2]);

    // The two chats that were made meanwhile are stored with the next cleanup, so that they are deleted one day.
    gateway.deleteExpiredChats();
    await expect.poll(turns).toEqual([0, 0, 2]);
  },
);
