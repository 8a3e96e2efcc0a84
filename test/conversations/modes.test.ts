import { describe, expect, test } from "vitest";
import { asking, post, startGateway, until } from "../gateway.js";
import { chatsOnKimi, Dialogue, sent } from "./dialogue.js";

const answerOf = async (response: Response) => JSON.parse(await response.text());

describe("conversation_id", () => {
  test("continues a conversation from new messages alone; “none” begins one", async () => {
    const gateway = await startGateway();
    const first = await answerOf(
      await post(gateway, asking("first sim:recall", { conversation_id: "none" })),
    );
    expect(first.conversation_id).toMatch(/^[0-9a-f-]{36}$/);
    const id = first.conversation_id;
    const second = await answerOf(await post(gateway, asking("second sim:recall", { conversation_id: id })));
    expect(second.choices[0].message.content).toBe("first sim:recall");
    const third = await answerOf(await post(gateway, asking("third sim:recall", { conversation_id: id })));
    expect(third.choices[0].message.content).toBe("first sim:recall\nsecond sim:recall");
    expect(third.conversation_id).toBe(id);
  });

  test("somebody else's, or one that never was, opens nothing and is told", async () => {
    const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
    const { conversation_id } = await answerOf(await post(gateway, asking("my secret")));
    for (const id of [conversation_id, "00000000-0000-0000-0000-000000000000"]) {
      const headers = { authorization: "Bearer sk-CANARY-other" };
      const answer = await answerOf(
        await post(gateway, asking("hello sim:recall", { conversation_id: id }), { headers }),
      );
      expect(answer.choices[0].message.content).not.toMatch(/secret/);
      expect(answer.moonbridge_notices).toEqual([
        { code: "conversation_unknown", message: expect.any(String) },
      ]);
      expect(sent(gateway).at(-1)?.chatId).toBeUndefined();
    }
  });
});

describe("chats: merged and ephemeral", () => {
  test("merged sends the whole transcript to a chat of its own each time", async () => {
    const gateway = await startGateway({ chats: { mode: "merged" } });
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    await dialogue.say("two");
    expect(sent(gateway)[1]).toMatchObject({
      chatId: undefined,
      text: expect.stringMatching(/^user: one.*user: two$/s),
    });
    expect((await chatsOnKimi(gateway.simulator)).length).toBe(2);
  });

  test("ephemeral deletes the chat as soon as the turn is over, however it ended", async () => {
    const gateway = await startGateway({ chats: { mode: "ephemeral" } });
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    gateway.simulator.fault({ kind: "cut", after: 1 });
    await expect(dialogue.say("two")).rejects.toThrow();
    expect(gateway.simulator.counts().chats).toBe(2);
    await expect.poll(() => chatsOnKimi(gateway.simulator)).toEqual([]);
    const { conversation_id } = await answerOf(await post(gateway, asking("three")));
    expect(conversation_id).toBeUndefined();
  });

  test("a key's own mode wins over the config's", async () => {
    const gateway = await startGateway({
      keys: [{ name: "other", key: "sk-CANARY-other", chats: "ephemeral" }],
    });
    await new Dialogue(gateway).say("stays");
    await new Dialogue(gateway, { key: "sk-CANARY-other" }).say("goes");
    await expect.poll(async () => (await chatsOnKimi(gateway.simulator)).length).toBe(1);
  });
});

describe("chores of chat UIs", () => {
  const chat = [
    { role: "user", content: "What is the moon?" },
    { role: "assistant", content: "A rock." },
  ];
  /** Each client's own words, cut to how they begin. */
  const chores: [client: string, messages: { role: string; content: string }[]][] = [
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
    ["one's own", [{ role: "user", content: "NAME THIS CHAT: …" }]],
  ];

  test.each(chores)(
    "%s: a throw-away chat, without search or thinking, deleted at once",
    async (_client, messages) => {
      const gateway = await startGateway({ chores: ["^name this chat"] });
      await post(gateway, { model: "kimi-thinking-search", messages });
      expect(gateway.simulator.calls.find(({ path }) => path.endsWith("/Chat"))?.body).toMatchObject({
        tools: [],
        options: { thinking: false },
      });
      await expect.poll(() => chatsOnKimi(gateway.simulator)).toEqual([]);
    },
  );

  test.each([
    "Generate a title for my novel about tasks.",
    "Please summarize this: You are a title generator",
    "### Task:\nRespond to the user query using the provided context, incorporating inline citations.",
    "使用更多的字回答",
  ])("not a chore: %s", async (content) => {
    const gateway = await startGateway();
    await post(gateway, asking(content));
    expect((await chatsOnKimi(gateway.simulator)).length).toBe(1);
  });
});

describe("cleaning up", () => {
  test("chats are deleted when they have not been used for so long, and no others ever", async () => {
    const gateway = await startGateway({ chats: { keepHours: 1 / 3_600 } });
    gateway.simulator.issue();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    const [ours] = await chatsOnKimi(gateway.simulator);
    expect(await gateway.store.countDueChats(Date.now())).toBe(0);
    expect(await gateway.store.countDueChats(Date.now() + 2_000)).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    // Too late to go on with: the history is told again, in a new chat.
    await dialogue.say("two");
    expect(sent(gateway)[1]?.chatId).toBeUndefined();
    gateway.sweep();
    await expect.poll(() => chatsOnKimi(gateway.simulator)).not.toContain(ours);
    expect((await chatsOnKimi(gateway.simulator)).length).toBe(1);
  });

  test("what cannot be deleted now is tried again later; what is gone already is forgotten", async () => {
    const gateway = await startGateway({ chats: { mode: "ephemeral" } });
    gateway.simulator.expireAccessTokens();
    await post(gateway, asking("one"));
    await until(() => gateway.simulator.calls.some(({ path }) => path.endsWith("/DeleteChat")));
    await expect.poll(() => gateway.store.countDueChats(Date.now() + 1e12)).toBe(0);

    await gateway.store.saveChat({ upstream: "me", chat: "never-was", scope: "s", dueAt: 0 });
    gateway.sweep();
    await expect.poll(() => gateway.store.countDueChats(Date.now() + 1e12)).toBe(0);
  });

  test("while Kimi is out of reach the chat waits, with growing pauses, and is not forgotten", async () => {
    const gateway = await startGateway();
    await gateway.store.saveChat({ upstream: "me", chat: "ours", scope: "s", dueAt: 0 });
    await gateway.simulator.close();
    const dueBy = async (time: number) => gateway.store.dueChats(["me"], time, 10);
    const pauses: number[] = [];
    for (const attempts of [1, 3, 5]) {
      const before = Date.now();
      gateway.sweep();
      await expect.poll(async () => (await dueBy(before + 1e12))[0]?.attempts).toBe(attempts);
      pauses.push(((await dueBy(before + 1e12))[0]?.dueAt ?? 0) - before);
      expect(await dueBy(before)).toEqual([]);
      // As if it had been tried once more and its time had come again.
      await gateway.store.postponeChat("me", "ours", 0);
    }
    for (let at = 1; at < pauses.length; at++) expect(pauses[at]).toBeGreaterThan(2 * (pauses[at - 1] ?? 0));
  });
});
