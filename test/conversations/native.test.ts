import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chatBody, postChat, startGateway } from "../gateway.js";
import { callKimi, Dialogue, sentTurns } from "./dialogue.js";

/** The words of the test in the order of their first appearance. */
const distinctWords = (text: string) => [...new Set(text.match(/common|own-\d+-\d+/g))];
const withRecall = (word: string) => `${word} sim:recall`;

test("twenty turns use one chat, send only the new message, and the model recalls the first ones", async () => {
  const gateway = await startGateway();
  const dialogue = new Dialogue(gateway);
  for (let turn = 1; turn <= 20; turn++) {
    const answer = await dialogue.send(withRecall(`word-${turn}`));
    if (turn > 1) expect(answer.split("\n")).toEqual(dialogue.userMessages().slice(0, -1));
  }
  const turns = sentTurns(gateway);
  const table = turns.map(({ bytes }, index) => ({
    turn: index + 1,
    "sent to Kimi": bytes,
    "a transcript would be": Buffer.byteLength(JSON.stringify(dialogue.history.slice(0, 2 * index + 1))),
  }));
  console.table(table);
  expect(new Set(turns.slice(1).map(({ chatId }) => chatId)).size).toBe(1);
  expect(turns.map(({ text }) => text)).toEqual(dialogue.userMessages());
  const sizes = turns.slice(1).map(({ bytes }) => bytes);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(2);
});

test("all chunks of a stream have the same conversation_id; the next turn of a dialogue continues its chat", async () => {
  const gateway = await startGateway();
  const first = await postChat(gateway, chatBody("hello", { stream: true }));
  const ids = new Set(
    [...(await first.text()).matchAll(/"conversation_id":"([^"]+)"/g)].map((match) => match[1]),
  );
  expect(ids.size).toBe(1);
  const dialogue = new Dialogue(gateway);
  await dialogue.send("one");
  await dialogue.send("two");
  expect(sentTurns(gateway).at(-1)).toMatchObject({ text: "two", chatId: expect.any(String) });
});

describe("edit, regenerate and branch", () => {
  test("an edited turn continues after its own parent", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    for (let turn = 0; turn < 10; turn++) await dialogue.send(withRecall(`first-${turn}`));
    const parents = sentTurns(gateway).map(({ parentId }) => parentId);
    dialogue.rewindTo(4);
    const answer = await dialogue.send(withRecall("edited"));
    expect(answer.split("\n")).toEqual([0, 1, 2, 3].map((turn) => withRecall(`first-${turn}`)));
    expect(sentTurns(gateway).at(-1)).toMatchObject({ text: withRecall("edited"), parentId: parents[4] });
    expect((await dialogue.send(withRecall("after"))).split("\n")).toEqual(
      dialogue.userMessages().slice(0, -1),
    );
  });

  test("regenerating the last answer continues after the same parent", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    await dialogue.send("two");
    dialogue.rewindTo(1);
    await dialogue.send("two");
    const [, before, again] = sentTurns(gateway);
    expect(again).toEqual(before);
  });

  test("editing the first message begins a new chat", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    dialogue.rewindTo(0);
    await dialogue.send("other");
    expect(sentTurns(gateway)[1]).toMatchObject({ text: "other", chatId: undefined, parentId: undefined });
  });

  test("after an edited answer in the middle, the rest is sent as a transcript after the last known answer", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    for (const word of ["one", "two", "three"]) await dialogue.send(word);
    dialogue.history[3] = { role: "assistant", content: "I never said that." };
    await dialogue.send("four");
    expect(sentTurns(gateway).at(-1)?.parentId).toBe(sentTurns(gateway)[1]?.parentId);
    expect(sentTurns(gateway).at(-1)?.text).toMatch(
      /^user: two\n\nassistant: I never said that\.\n\nuser: three\n\n.*user: four$/s,
    );
  });
});

describe("conversations never mix", () => {
  test("two API keys with the same messages have separate chats", async () => {
    const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
    const [mine, theirs] = [new Dialogue(gateway), new Dialogue(gateway, { key: "sk-CANARY-other" })];
    for (const word of ["same", "words"]) {
      await mine.send(word);
      await theirs.send(word);
    }
    const chats = sentTurns(gateway).map(({ chatId }) => chatId);
    expect(chats[2]).not.toBe(chats[3]);
    expect(chats.slice(0, 2)).toEqual([undefined, undefined]);
  });

  test("two accounts, and two scenarios of one account, have separate chats", async () => {
    const gateway = await startGateway({
      upstreams: (simulator) => [
        {
          name: "second",
          kind: "kimi-web",
          baseUrl: simulator.url,
          authUrl: simulator.url,
          ...simulator.issue({ user: "somebody-else" }),
        },
      ],
      routes: { second: ["second"] },
    });
    const dialogues = ["kimi", "second", "k3-agent"].map((model) => new Dialogue(gateway, { model }));
    for (const word of ["same", "words", "again"])
      for (const dialogue of dialogues) await dialogue.send(word);
    const chats = sentTurns(gateway).map(({ chatId }) => chatId);
    expect(new Set(chats.slice(3)).size).toBe(3);
    expect(chats.slice(3, 6)).toEqual(chats.slice(6));
  });

  test("50 conversations of 10 turns, interleaved and edited at random: each recalls exactly its own history", async () => {
    const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
    const steps = fc.sample(
      fc.record({ dialogueIndex: fc.nat(49), rewindTo: fc.option(fc.nat(9), { freq: 5 }) }),
      {
        numRuns: 500,
        seed: 20_261_124,
      },
    );
    const dialogues = Array.from({ length: 50 }, (_, n) =>
      n % 3 === 0 ? new Dialogue(gateway, { key: "sk-CANARY-other" }) : new Dialogue(gateway),
    );
    const running = new Map<number, Promise<void>>();
    let number = 0;
    for (const { dialogueIndex, rewindTo } of steps) {
      const dialogue = dialogues[dialogueIndex];
      if (!dialogue) continue;
      // On purpose, every third turn of any conversation sends the same message.
      const word = number % 3 === 0 ? "common" : `own-${dialogueIndex}-${number}`;
      number++;
      const turn = (running.get(dialogueIndex) ?? Promise.resolve()).then(async () => {
        if (rewindTo !== null && rewindTo < dialogue.userMessages().length) dialogue.rewindTo(rewindTo);
        const answer = await dialogue.send(withRecall(word));
        const before = dialogue.userMessages().slice(0, -1);
        // Where the chat of the right answer is busy, a turn is sent again with its answer: the same words, in one message.
        if (before.length > 0) expect(distinctWords(answer)).toEqual(distinctWords(before.join("\n")));
      });
      running.set(dialogueIndex, turn);
      if (running.size % 10 === 0) await Promise.all(running.values());
    }
    await Promise.all(running.values());
    expect(sentTurns(gateway).filter(({ chatId }) => chatId).length).toBeGreaterThan(300);
  });
});

describe("answers as clients send them back", () => {
  const answer = "The answer.\n\nIn two parts.";
  const footer =
    "\n\n**参考 / Sources**\n\n1. [A page](https://example.org/a)\n2. [Another \\[page\\]](https://example.org/b)";
  const script = () => [
    { do: "think" as const, content: ["Let me\n\nthink > hard."] },
    { do: "text" as const, content: [answer] },
  ];

  test.each<[client: string, returned: string]>([
    ["as it was: openai SDK, LobeChat, Open WebUI", answer],
    ["trimmed, or with an end of line: aider, Continue", ` ${answer}\n`],
    ["with CRLF: clients on Windows", answer.replaceAll("\n", "\r\n")],
    ["with our list of sources: every UI that keeps the text it showed", answer + footer],
    [
      "reasoning inlined as <think>: LobeChat, Chatbox, Dify",
      `<think>Let me\n\nthink > hard.</think>\n\n${answer}`,
    ],
    ["reasoning quoted in front: NextChat", `> Let me\n> \n> think > hard.\n\n${answer}`],
  ])("continues the chat: %s", async (_client, returned) => {
    const gateway = await startGateway({ simulator: { script } });
    const history = [{ role: "user", content: "one" }];
    await postChat(gateway, { model: "kimi-thinking", messages: history });
    const next = [...history, { role: "assistant", content: returned }, { role: "user", content: "two" }];
    await postChat(gateway, { model: "kimi-thinking", messages: next });
    expect(sentTurns(gateway)[1]).toMatchObject({ text: "two", chatId: expect.any(String) });
  });

  test("continues the chat: reasoning in its own field, parts instead of text (AI SDK, Cline, kimi-code)", async () => {
    const gateway = await startGateway({ simulator: { script } });
    const history = [{ role: "user", content: [{ type: "text", text: "one" }] }];
    await postChat(gateway, { model: "kimi-thinking", messages: history });
    const returned = {
      role: "assistant",
      reasoning_content: "Let me…",
      content: [{ type: "text", text: answer }],
    };
    await postChat(gateway, {
      model: "kimi-thinking",
      messages: [{ role: "user", content: "one" }, returned, { role: "user", content: "two" }],
    });
    expect(sentTurns(gateway)[1]).toMatchObject({ text: "two", chatId: expect.any(String) });
  });

  test.each([
    ["another word", answer.replace("two", "three")],
    ["a part missing", "The answer."],
    ["a quote that is not our reasoning", `> Somebody else's words.\n\n${answer}`],
    ["other reasoning inlined", `<think>Different.</think>${answer}`],
    ["a footer that is not ours", `${answer}\n\n**Sources**\n\n1. [x](https://example.org)`],
  ])("does not continue the chat if the answer differs: %s", async (_difference, returned) => {
    const gateway = await startGateway({ simulator: { script } });
    const history = [{ role: "user", content: "one" }];
    await postChat(gateway, { model: "kimi-thinking", messages: history });
    await postChat(gateway, {
      model: "kimi-thinking",
      messages: [...history, { role: "assistant", content: returned }, { role: "user", content: "two" }],
    });
    expect(sentTurns(gateway)[1]).toMatchObject({
      chatId: undefined,
      text: expect.stringMatching(/^user: one/),
    });
  });
});

describe("system text", () => {
  const turn = (system: string, ...rest: string[]) => [
    { role: "system", content: system },
    ...rest.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content })),
  ];

  test("system text is sent once; after a change the chat continues and the new text is sent", async () => {
    const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: ["ok"] }] } });
    await postChat(gateway, { model: "kimi", messages: turn("It is 10:00.", "one") });
    await postChat(gateway, { model: "kimi", messages: turn("It is 10:00.", "one", "ok", "two") });
    await postChat(gateway, {
      model: "kimi",
      messages: turn("It is 10:05.", "one", "ok", "two", "ok", "three"),
    });
    await postChat(gateway, {
      model: "kimi",
      messages: turn("It is 10:05.", "one", "ok", "two", "ok", "three", "ok", "four"),
    });
    const turns = sentTurns(gateway);
    expect(turns.map(({ text }) => text)).toEqual([
      "system: It is 10:00.\n\nuser: one",
      "two",
      "system: It is 10:05.\n\nuser: three",
      "four",
    ]);
    expect(new Set(turns.slice(1).map(({ chatId }) => chatId)).size).toBe(1);
  });
});

describe("chats lost by Kimi", () => {
  test("if the chat was deleted upstream, the whole transcript is sent to a new chat, once", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send(withRecall("one"));
    await dialogue.send(withRecall("two"));
    const [, before] = sentTurns(gateway);
    await callKimi(gateway.simulator, "kimi.chat.v1.ChatService/DeleteChat", { chat_id: before?.chatId });
    const answer = await dialogue.send(withRecall("three"));
    expect(answer).toMatch(/one/);
    expect(answer).toMatch(/two/);
    const turns = sentTurns(gateway);
    expect(turns.slice(2).map(({ chatId }) => chatId)).toEqual([before?.chatId, undefined]);
    expect(turns.at(-1)?.text).toMatch(/^user: one.*user: two.*user: three/s);
    await dialogue.send("four");
    expect(sentTurns(gateway).at(-1)).toMatchObject({ text: "four" });
  });

  test("if the chat is too long, it is tried as a new chat; if that is too long as well, the client gets the error", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    gateway.simulator.fault({ kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", after: 0 });
    await dialogue.send("two");
    expect(
      sentTurns(gateway)
        .slice(1)
        .map(({ chatId }) => chatId === undefined),
    ).toEqual([false, true]);
    gateway.simulator.fault({ kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", after: 0 }, 2);
    await expect(dialogue.send("three")).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
    });
  });

  test("a turn that fails or is cut cannot be continued", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    gateway.simulator.fault({ kind: "cut", after: 1 });
    await expect(dialogue.send("two")).rejects.toMatchObject({ code: "upstream_cut" });
    const parent = sentTurns(gateway)[1]?.parentId;
    dialogue.rewindTo(1);
    await dialogue.send("two");
    expect(sentTurns(gateway)[2]).toMatchObject({ text: "two", parentId: parent });
  });
});

describe("context and output length", () => {
  test("a transcript over the model's context is refused with both token counts, before anything is sent", async () => {
    const gateway = await startGateway();
    const response = await postChat(gateway, chatBody("长".repeat(600_000)));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: "context_length_exceeded",
        param: "messages",
        message: expect.stringMatching(/\d{6} tokens; k2d6-chat takes 262144/),
      },
    });
    expect(sentTurns(gateway)).toEqual([]);
  });

  test("an answer that Kimi truncated has finish_reason length and can be continued in its chat", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "truncated", after: 2 });
    const first = await gateway.client.chat.completions.create(completionRequest("sim:repeat=9"));
    expect(first.choices[0]?.finish_reason).toBe("length");
    const content = first.choices[0]?.message.content ?? "";
    await postChat(gateway, {
      model: "kimi",
      messages: [
        ...completionRequest("sim:repeat=9").messages,
        { role: "assistant", content },
        { role: "user", content: "go on" },
      ],
    });
    expect(sentTurns(gateway)[1]).toMatchObject({ text: "go on", chatId: expect.any(String) });
  });
});

function completionRequest(content: string) {
  return { model: "kimi", messages: [{ role: "user" as const, content }] };
}
