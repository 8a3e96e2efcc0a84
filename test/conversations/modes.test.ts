import { describe, expect, test } from "vitest";
import { type SentMessage, sideRequests } from "../chat/side-request-prompts.js";
import { chatBody, type Gateway, postChat, startGateway, waitUntil } from "../gateway.js";
import { Dialogue, listKimiChats, sentTurns } from "./dialogue.js";

const answerOf = async (response: Response) => JSON.parse(await response.text());

describe("conversation_id", () => {
  test("conversation_id continues a conversation with only the new message; “none” begins one", async () => {
    const gateway = await startGateway();
    const first = await answerOf(
      await postChat(gateway, chatBody("first sim:recall", { conversation_id: "none" })),
    );
    // Clients of kimi-free-api send the first answer's id.
    expect(first.conversation_id).toBe(first.id);
    const id = first.conversation_id;
    const second = await answerOf(
      await postChat(gateway, chatBody("second sim:recall", { conversation_id: id })),
    );
    expect(second.choices[0].message.content).toBe("first sim:recall");
    const third = await answerOf(
      await postChat(gateway, chatBody("third sim:recall", { conversation_id: id })),
    );
    expect(third.choices[0].message.content).toBe("first sim:recall\nsecond sim:recall");
    expect(third.conversation_id).toBe(id);
  });

  describe("an id of another key, or an unknown one", () => {
    const headers = { authorization: "Bearer sk-CANARY-other" };
    const start = async () => {
      const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
      const { conversation_id } = await answerOf(await postChat(gateway, chatBody("my secret")));
      return { gateway, ids: [conversation_id, "00000000-0000-0000-0000-000000000000"] };
    };

    test("with only a new message is 404 conversation_not_found, and nothing is sent to Kimi", async () => {
      const { gateway, ids } = await start();
      for (const id of ids) {
        const body = chatBody("hello", { conversation_id: id });
        const response = await postChat(gateway, body, { headers });
        expect(response.status).toBe(404);
        expect((await answerOf(response)).error).toMatchObject({
          code: "conversation_not_found",
          param: "conversation_id",
        });
      }
      expect(sentTurns(gateway).length).toBe(1);
    });

    test("with a history begins a new chat with all of it and a notice, and keeps the id", async () => {
      const { gateway, ids } = await start();
      for (const id of ids) {
        const messages = [
          { role: "user", content: "one" },
          { role: "assistant", content: "two" },
          { role: "user", content: "three sim:recall" },
        ];
        const body = { model: "kimi", messages, conversation_id: id };
        const answer = await answerOf(await postChat(gateway, body, { headers }));
        expect(answer.choices[0].message.content).not.toMatch(/secret/);
        expect(answer.moonbridge_notices).toEqual([
          { code: "conversation_unknown", message: expect.any(String) },
        ]);
        expect(answer.conversation_id).toBe(id);
        expect(sentTurns(gateway).at(-1)).toMatchObject({
          chatId: undefined,
          text: expect.stringMatching(/one.*two/s),
        });
      }
    });
  });

  test("a request without an id gets a new one, even where it continues the same chat; one with an id keeps it", async () => {
    const gateway = await startGateway();
    const first = await answerOf(await postChat(gateway, chatBody("one")));
    const { content } = first.choices[0].message;
    const messages = [
      { role: "user", content: "one" },
      { role: "assistant", content },
      { role: "user", content: "two" },
    ];
    const second = await answerOf(await postChat(gateway, { model: "kimi", messages }));
    const named = await answerOf(
      await postChat(gateway, chatBody("three sim:recall", { conversation_id: first.conversation_id })),
    );
    expect(second.conversation_id).not.toBe(first.conversation_id);
    expect(named.conversation_id).toBe(first.conversation_id);
    // Continues where the first conversation ended, not where the second one did.
    expect(named.choices[0].message.content).toBe("one");
    expect(
      new Set(
        sentTurns(gateway)
          .slice(1)
          .map(({ chatId }) => chatId),
      ).size,
    ).toBe(1);
  });

  test("two conversations with an equal opening keep their ids apart", async () => {
    const gateway = await startGateway();
    const ids: string[] = [];
    for (const _ of [1, 2])
      ids.push((await answerOf(await postChat(gateway, chatBody("hi")))).conversation_id);
    for (const [index, id] of ids.entries())
      await postChat(gateway, chatBody(`own-${index}`, { conversation_id: id }));
    for (const [index, id] of ids.entries()) {
      const answer = await answerOf(await postChat(gateway, chatBody("sim:recall", { conversation_id: id })));
      expect(answer.choices[0].message.content).toBe(`hi\nown-${index}`);
    }
  });

  test("a request waits while its conversation is answering, without a slot of the account", async () => {
    const gateway = await startGateway({ concurrency: 2 });
    const { conversation_id } = await answerOf(await postChat(gateway, chatBody("one")));
    const named = (content: string) => postChat(gateway, chatBody(content, { conversation_id }));
    const slow = named("sim:fault=slow-start,300");
    await waitUntil(() => sentTurns(gateway).length === 2);
    const waiting = named("three sim:recall");
    const other = await postChat(gateway, chatBody("other"));
    expect(other.status).toBe(200);
    expect(sentTurns(gateway).at(-1)?.text).toBe("other");
    await slow;
    expect((await answerOf(await waiting)).choices[0].message.content).toBe("one\nsim:fault=slow-start,300");
  });
});

describe("chats modes merged and ephemeral", () => {
  test("merged: each turn sends the whole transcript to a new chat", async () => {
    const gateway = await startGateway({ chats: { mode: "merged" } });
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    await dialogue.send("two");
    expect(sentTurns(gateway)[1]).toMatchObject({
      chatId: undefined,
      text: expect.stringMatching(/^user: one.*user: two$/s),
    });
    expect((await listKimiChats(gateway.simulator)).length).toBe(2);
  });

  test("ephemeral: the chat is deleted as soon as the turn has ended, successfully or not", async () => {
    const gateway = await startGateway({ chats: { mode: "ephemeral" } });
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    gateway.simulator.fault({ kind: "cut", after: 1 });
    await expect(dialogue.send("two")).rejects.toThrow();
    expect(gateway.simulator.counts().chats).toBe(2);
    await expect.poll(() => listKimiChats(gateway.simulator)).toEqual([]);
    const { conversation_id } = await answerOf(await postChat(gateway, chatBody("three")));
    expect(conversation_id).toBeUndefined();
  });

  test("the mode of a key wins over that of the config", async () => {
    const gateway = await startGateway({
      keys: [{ name: "other", key: "sk-CANARY-other", chats: "ephemeral" }],
    });
    await new Dialogue(gateway).send("stays");
    await new Dialogue(gateway, { key: "sk-CANARY-other" }).send("goes");
    await expect.poll(async () => (await listKimiChats(gateway.simulator)).length).toBe(1);
  });
});

describe("side requests of chat UIs", () => {
  const clients = [
    "Open WebUI: title",
    "Open WebUI: choice of tools",
    "LobeChat: title",
    "NextChat: topic (2)",
    "NextChat: summary (1)",
    "Cherry Studio: title",
    "Cherry Studio: rewriting for search",
    "opencode: title",
    "qwen-code: memory extraction",
  ].map((name): [string, SentMessage[]] => [name, sideRequests[name] ?? []]);
  const title = sideRequests["Open WebUI: title"] ?? [];
  const lastSent = (gateway: Gateway) =>
    gateway.simulator.calls.findLast(({ path }) => path.endsWith("/Chat"))?.body;

  test.each([
    ...clients,
    ["a configured pattern", [{ role: "user", content: "NAME THIS CHAT: …" }] as SentMessage[]] as const,
  ])("%s runs in an ephemeral chat, without search or thinking", async (_client, messages) => {
    const gateway = await startGateway({ sideRequestPatterns: ["^name this chat"] });
    await postChat(gateway, { model: "kimi", messages });
    expect(lastSent(gateway)).toMatchObject({ tools: [], options: { thinking: false } });
    await expect.poll(() => listKimiChats(gateway.simulator)).toEqual([]);
  });

  test("no known prompt leaves a chat behind", async () => {
    const gateway = await startGateway();
    for (const [name, messages] of Object.entries(sideRequests)) {
      expect([name, (await postChat(gateway, { model: "kimi", messages })).status]).toEqual([name, 200]);
      expect([name, lastSent(gateway)]).toMatchObject([name, { tools: [] }]);
    }
    await expect.poll(() => listKimiChats(gateway.simulator)).toEqual([]);
  });

  test.each([
    { conversation_id: "none" },
    { use_search: false },
    { reasoning_effort: "none" },
    { model: "kimi-nosearch" },
    { model: "kimi-silent" },
  ])("a known prompt with %j is one", async (parameters) => {
    const gateway = await startGateway();
    await postChat(gateway, { model: "kimi", messages: title, ...parameters });
    await expect.poll(() => listKimiChats(gateway.simulator)).toEqual([]);
  });

  const search = { tools: [expect.anything()] };
  const thinking = { options: { thinking: true } };
  test.each([
    [{ model: "kimi-search" }, search],
    [{ use_search: true }, search],
    [{ model: "kimi-thinking" }, thinking],
    [{ reasoning_effort: "high" }, thinking],
    [{ model: "kimi-thinking-search" }, { ...search, ...thinking }],
  ])(
    "a known prompt with %j is none: it gets what it asks for, in a chat that stays",
    async (parameters, sent) => {
      const gateway = await startGateway({ sideRequestPatterns: ["^### Task"] });
      await postChat(gateway, { model: "kimi", messages: title, ...parameters });
      expect(lastSent(gateway)).toMatchObject(sent);
      expect((await listKimiChats(gateway.simulator)).length).toBe(1);
    },
  );

  test("a known prompt that names a conversation is an ordinary request and continues there", async () => {
    const gateway = await startGateway({ sideRequestPatterns: ["^### Task"] });
    const { conversation_id } = await answerOf(await postChat(gateway, chatBody("first")));
    const [chat] = await listKimiChats(gateway.simulator);
    await postChat(gateway, { model: "kimi", messages: title, conversation_id });
    expect(sentTurns(gateway).at(-1)?.chatId).toBe(chat);
    expect(await listKimiChats(gateway.simulator)).toEqual([chat]);
  });

  test.each(
    [
      "Generate a title for my novel about tasks.",
      "### Task:\nGenerate a concise title for my novel about a lighthouse keeper.",
      "Please summarize this: You are a title generator",
      "### Task:\nRespond to the user query using the provided context, incorporating inline citations.",
      "Summarize the discussion briefly in 200 words or less to use as a prompt for future context.",
      "使用四到五个字直接返回这句话的简要主题，不要解释",
      "使用更多的字回答",
      `${title[0]?.content}\n\nWhat is this prompt for?`,
    ].map((content) => [content.slice(-60), content] as const),
  )("not a side request: …%s", async (_end, content) => {
    const gateway = await startGateway();
    await postChat(gateway, chatBody(content));
    expect(lastSent(gateway)).toMatchObject(search);
    expect((await listKimiChats(gateway.simulator)).length).toBe(1);
  });
});

describe("clean-up of chats", () => {
  test("only chats of Moonbridge are deleted, keepHours after their last turn", async () => {
    const gateway = await startGateway({ chats: { keepHours: 1 / 3_600 } });
    gateway.simulator.issue();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    const [ours] = await listKimiChats(gateway.simulator);
    expect(await gateway.store.countDueChats(Date.now())).toBe(0);
    expect(await gateway.store.countDueChats(Date.now() + 2_000)).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    // The chat is due, so it is not continued: the history is sent to a new chat.
    await dialogue.send("two");
    expect(sentTurns(gateway)[1]?.chatId).toBeUndefined();
    gateway.deleteExpiredChats();
    await expect.poll(() => listKimiChats(gateway.simulator)).not.toContain(ours);
    expect((await listKimiChats(gateway.simulator)).length).toBe(1);
  });

  test("a failed deletion is retried later; a chat that is gone already is removed from the store", async () => {
    const gateway = await startGateway({ chats: { mode: "ephemeral" } });
    gateway.simulator.expireAccessTokens();
    await postChat(gateway, chatBody("one"));
    await waitUntil(() => gateway.simulator.calls.some(({ path }) => path.endsWith("/DeleteChat")));
    await expect.poll(() => gateway.store.countDueChats(Date.now() + 1e12)).toBe(0);

    await gateway.store.saveChat({ upstream: "me", chat: "never-was", scope: "s", dueAt: 0 });
    gateway.deleteExpiredChats();
    await expect.poll(() => gateway.store.countDueChats(Date.now() + 1e12)).toBe(0);
  });

  test("while Kimi is unreachable the deletion is retried with growing pauses", async () => {
    const gateway = await startGateway();
    await gateway.store.saveChat({ upstream: "me", chat: "ours", scope: "s", dueAt: 0 });
    await gateway.simulator.close();
    const dueBy = async (time: number) => gateway.store.listDueChats(["me"], time, 10);
    const pauses: number[] = [];
    for (const attempts of [1, 3, 5]) {
      const before = Date.now();
      gateway.deleteExpiredChats();
      await expect.poll(async () => (await dueBy(before + 1e12))[0]?.attempts).toBe(attempts);
      pauses.push(((await dueBy(before + 1e12))[0]?.dueAt ?? 0) - before);
      expect(await dueBy(before)).toEqual([]);
      // Simulates another failed try whose pause is over.
      await gateway.store.postponeChat("me", "ours", 0);
    }
    for (let index = 1; index < pauses.length; index++)
      expect(pauses[index]).toBeGreaterThan(2 * (pauses[index - 1] ?? 0));
  });
});
