import { describe, expect, test } from "vitest";
import { chatBody, postChat, startGateway, waitUntil } from "../gateway.js";
import { Dialogue, listKimiChats, sentTurns } from "./dialogue.js";

const answerOf = async (response: Response) => JSON.parse(await response.text());

describe("conversation_id", () => {
  test("conversation_id continues a conversation with only the new message; “none” begins one", async () => {
    const gateway = await startGateway();
    const first = await answerOf(
      await postChat(gateway, chatBody("first sim:recall", { conversation_id: "none" })),
    );
    expect(first.conversation_id).toMatch(/^[0-9a-f-]{36}$/);
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

  test("an id of another key, or an unknown one, begins a new chat with a notice", async () => {
    const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
    const { conversation_id } = await answerOf(await postChat(gateway, chatBody("my secret")));
    for (const id of [conversation_id, "00000000-0000-0000-0000-000000000000"]) {
      const headers = { authorization: "Bearer sk-CANARY-other" };
      const answer = await answerOf(
        await postChat(gateway, chatBody("hello sim:recall", { conversation_id: id }), { headers }),
      );
      expect(answer.choices[0].message.content).not.toMatch(/secret/);
      expect(answer.moonbridge_notices).toEqual([
        { code: "conversation_unknown", message: expect.any(String) },
      ]);
      expect(sentTurns(gateway).at(-1)?.chatId).toBeUndefined();
    }
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
  const chat = [
    { role: "user", content: "What is the moon?" },
    { role: "assistant", content: "A rock." },
  ];
  /** The beginning of each client's prompt. */
  const sideRequestPrompts: [client: string, messages: { role: string; content: string }[]][] = [
    [
      "Open WebUI, title",
      [
        {
          role: "user",
          content:
            "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### Guidelines:\n…",
        },
      ],
    ],
    [
      "Open WebUI, tags",
      [
        {
          role: "user",
          content: "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history, …",
        },
      ],
    ],
    [
      "Open WebUI, follow-ups",
      [
        {
          role: "user",
          content:
            "### Task:\nSuggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next …",
        },
      ],
    ],
    [
      "Open WebUI, queries",
      [
        {
          role: "user",
          content:
            "### Task:\nAnalyze the chat history to determine the necessity of generating search queries, …",
        },
      ],
    ],
    [
      "LobeChat, title",
      [
        {
          role: "system",
          content:
            "You are a professional conversation summarizer. Generate a concise title that captures the essence of the conversation.\n\nRules: …",
        },
        { role: "user", content: "user: What is the moon?" },
      ],
    ],
    [
      "NextChat, title",
      [
        ...chat,
        {
          role: "user",
          content:
            "Please generate a four to five word title summarizing our conversation without any lead-in, …",
        },
      ],
    ],
    [
      "NextChat, title (Chinese)",
      [...chat, { role: "user", content: "使用四到五个字直接返回这句话的简要主题，不要解释、不要标点……" }],
    ],
    [
      "NextChat, memory",
      [
        ...chat,
        {
          role: "system",
          content:
            "Summarize the discussion briefly in 200 words or less to use as a prompt for future context.",
        },
      ],
    ],
    [
      "Cherry Studio, title",
      [
        {
          role: "system",
          content:
            "You are an assistant skilled in conversation. You need to summarize the user's conversation into a title within 10 words. …",
        },
        { role: "user", content: "…" },
      ],
    ],
    [
      "Cherry Studio, title (Chinese)",
      [
        { role: "system", content: "你是一名擅长会话的助理，你需要将用户的会话总结为 10 个字以内的标题，……" },
        { role: "user", content: "…" },
      ],
    ],
    ["a configured pattern", [{ role: "user", content: "NAME THIS CHAT: …" }]],
  ];

  test.each(sideRequestPrompts)(
    "side request (%s) runs in an ephemeral chat, without search or thinking",
    async (_client, messages) => {
      const gateway = await startGateway({ sideRequestPatterns: ["^name this chat"] });
      await postChat(gateway, { model: "kimi-thinking-search", messages });
      expect(gateway.simulator.calls.find(({ path }) => path.endsWith("/Chat"))?.body).toMatchObject({
        tools: [],
        options: { thinking: false },
      });
      await expect.poll(() => listKimiChats(gateway.simulator)).toEqual([]);
    },
  );

  test.each([
    "Generate a title for my novel about tasks.",
    "Please summarize this: You are a title generator",
    "### Task:\nRespond to the user query using the provided context, incorporating inline citations.",
    "使用更多的字回答",
  ])("not a side request: %s", async (content) => {
    const gateway = await startGateway();
    await postChat(gateway, chatBody(content));
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
