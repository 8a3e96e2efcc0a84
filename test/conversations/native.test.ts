import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asking, post, startGateway } from "../gateway.js";
import { Dialogue, onKimi, sent } from "./dialogue.js";

const recall = (word: string) => `${word} sim:recall`;

test("twenty turns: one chat, only the new message each time, and the first words are remembered", async () => {
  const gateway = await startGateway();
  const dialogue = new Dialogue(gateway);
  for (let turn = 1; turn <= 20; turn++) {
    const answer = await dialogue.say(recall(`word-${turn}`));
    if (turn > 1) expect(answer.split("\n")).toEqual(dialogue.said().slice(0, -1));
  }
  const turns = sent(gateway);
  const table = turns.map(({ bytes }, at) => ({
    turn: at + 1,
    "sent to Kimi": bytes,
    "a transcript would be": Buffer.byteLength(JSON.stringify(dialogue.history.slice(0, 2 * at + 1))),
  }));
  console.table(table);
  expect(new Set(turns.slice(1).map(({ chatId }) => chatId)).size).toBe(1);
  expect(turns.map(({ text }) => text)).toEqual(dialogue.said());
  const sizes = turns.slice(1).map(({ bytes }) => bytes);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(2);
});

test("a stream continues just the same, and its answer says which conversation it is", async () => {
  const gateway = await startGateway();
  const first = await post(gateway, asking("hello", { stream: true }));
  const ids = new Set(
    [...(await first.text()).matchAll(/"conversation_id":"([^"]+)"/g)].map((match) => match[1]),
  );
  expect(ids.size).toBe(1);
  const dialogue = new Dialogue(gateway);
  await dialogue.say("one");
  await dialogue.say("two");
  expect(sent(gateway).at(-1)).toMatchObject({ text: "two", chatId: expect.any(String) });
});

describe("edit, regenerate and branch go to their real parents", () => {
  test("turn 5 of 10 is edited and sent again", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    for (let turn = 0; turn < 10; turn++) await dialogue.say(recall(`first-${turn}`));
    const parents = sent(gateway).map(({ parentId }) => parentId);
    dialogue.backTo(4);
    const answer = await dialogue.say(recall("edited"));
    expect(answer.split("\n")).toEqual([0, 1, 2, 3].map((turn) => recall(`first-${turn}`)));
    expect(sent(gateway).at(-1)).toMatchObject({ text: recall("edited"), parentId: parents[4] });
    expect((await dialogue.say(recall("after"))).split("\n")).toEqual(dialogue.said().slice(0, -1));
  });

  test("the last answer is made again", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    await dialogue.say("two");
    dialogue.backTo(1);
    await dialogue.say("two");
    const [, before, again] = sent(gateway);
    expect(again).toEqual(before);
  });

  test("the first message is edited: a new chat", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    dialogue.backTo(0);
    await dialogue.say("other");
    expect(sent(gateway)[1]).toMatchObject({ text: "other", chatId: undefined, parentId: undefined });
  });

  test("an answer in the middle is edited: what follows it is told, after the last place that is known", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    for (const word of ["one", "two", "three"]) await dialogue.say(word);
    dialogue.history[3] = { role: "assistant", content: "I never said that." };
    await dialogue.say("four");
    expect(sent(gateway).at(-1)?.parentId).toBe(sent(gateway)[1]?.parentId);
    expect(sent(gateway).at(-1)?.text).toMatch(
      /^user: two\n\nassistant: I never said that\.\n\nuser: three\n\n.*user: four$/s,
    );
  });
});

describe("conversations never mix", () => {
  test("two callers with the same words", async () => {
    const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
    const [mine, theirs] = [new Dialogue(gateway), new Dialogue(gateway, { key: "sk-CANARY-other" })];
    for (const word of ["same", "words"]) {
      await mine.say(word);
      await theirs.say(word);
    }
    const chats = sent(gateway).map(({ chatId }) => chatId);
    expect(chats[2]).not.toBe(chats[3]);
    expect(chats.slice(0, 2)).toEqual([undefined, undefined]);
  });

  test("two accounts, and two scenarios of one account", async () => {
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
    for (const word of ["same", "words", "again"]) for (const dialogue of dialogues) await dialogue.say(word);
    const chats = sent(gateway).map(({ chatId }) => chatId);
    expect(new Set(chats.slice(3)).size).toBe(3);
    expect(chats.slice(3, 6)).toEqual(chats.slice(6));
  });

  test("50 conversations of 10 turns, interleaved and edited at random: each recalls exactly its own history", async () => {
    const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
    const steps = fc.sample(fc.record({ who: fc.nat(49), back: fc.option(fc.nat(9), { freq: 5 }) }), {
      numRuns: 500,
      seed: 20_261_124,
    });
    const dialogues = Array.from({ length: 50 }, (_, n) =>
      n % 3 === 0 ? new Dialogue(gateway, { key: "sk-CANARY-other" }) : new Dialogue(gateway),
    );
    const busy = new Map<number, Promise<void>>();
    let number = 0;
    for (const { who, back } of steps) {
      const dialogue = dialogues[who];
      if (!dialogue) continue;
      // Words are shared between conversations on purpose: every third turn of any of them says the same.
      const word = number % 3 === 0 ? "common" : `own-${who}-${number}`;
      number++;
      const turn = (busy.get(who) ?? Promise.resolve()).then(async () => {
        if (back !== null && back < dialogue.said().length) dialogue.backTo(back);
        const answer = await dialogue.say(recall(word));
        const before = dialogue.said().slice(0, -1);
        if (before.length > 0) expect(answer.split("\n")).toEqual(before);
      });
      busy.set(who, turn);
      if (busy.size % 10 === 0) await Promise.all(busy.values());
    }
    await Promise.all(busy.values());
    expect(sent(gateway).filter(({ chatId }) => chatId).length).toBeGreaterThan(300);
  });
});

describe("what clients do to our answers on the way back is undone", () => {
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
  ])("%s", async (_client, returned) => {
    const gateway = await startGateway({ simulator: { script } });
    const history = [{ role: "user", content: "one" }];
    await post(gateway, { model: "kimi-thinking", messages: history });
    const next = [...history, { role: "assistant", content: returned }, { role: "user", content: "two" }];
    await post(gateway, { model: "kimi-thinking", messages: next });
    expect(sent(gateway)[1]).toMatchObject({ text: "two", chatId: expect.any(String) });
  });

  test("reasoning in its own field, null content beside tool calls, parts instead of text: AI SDK, Cline, kimi-code", async () => {
    const gateway = await startGateway({ simulator: { script } });
    const history = [{ role: "user", content: [{ type: "text", text: "one" }] }];
    await post(gateway, { model: "kimi-thinking", messages: history });
    const returned = {
      role: "assistant",
      reasoning_content: "Let me…",
      content: [{ type: "text", text: answer }],
    };
    await post(gateway, {
      model: "kimi-thinking",
      messages: [{ role: "user", content: "one" }, returned, { role: "user", content: "two" }],
    });
    expect(sent(gateway)[1]).toMatchObject({ text: "two", chatId: expect.any(String) });
  });

  test.each([
    ["another word", answer.replace("two", "three")],
    ["a part missing", "The answer."],
    ["a quote that is not our reasoning", `> Somebody else's words.\n\n${answer}`],
    ["other reasoning inlined", `<think>Different.</think>${answer}`],
    ["a footer that is not ours", `${answer}\n\n**Sources**\n\n1. [x](https://example.org)`],
  ])("a history that really differs does not continue: %s", async (_what, returned) => {
    const gateway = await startGateway({ simulator: { script } });
    const history = [{ role: "user", content: "one" }];
    await post(gateway, { model: "kimi-thinking", messages: history });
    await post(gateway, {
      model: "kimi-thinking",
      messages: [...history, { role: "assistant", content: returned }, { role: "user", content: "two" }],
    });
    expect(sent(gateway)[1]).toMatchObject({ chatId: undefined, text: expect.stringMatching(/^user: one/) });
  });
});

describe("system text", () => {
  const turn = (system: string, ...rest: string[]) => [
    { role: "system", content: system },
    ...rest.map((content, at) => ({ role: at % 2 === 0 ? "user" : "assistant", content })),
  ];

  test("is told once; when it changes the thread goes on and the new one reaches Kimi", async () => {
    const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: ["ok"] }] } });
    await post(gateway, { model: "kimi", messages: turn("It is 10:00.", "one") });
    await post(gateway, { model: "kimi", messages: turn("It is 10:00.", "one", "ok", "two") });
    await post(gateway, { model: "kimi", messages: turn("It is 10:05.", "one", "ok", "two", "ok", "three") });
    await post(gateway, {
      model: "kimi",
      messages: turn("It is 10:05.", "one", "ok", "two", "ok", "three", "ok", "four"),
    });
    const turns = sent(gateway);
    expect(turns.map(({ text }) => text)).toEqual([
      "system: It is 10:00.\n\nuser: one",
      "two",
      "system: It is 10:05.\n\nuser: three",
      "four",
    ]);
    expect(new Set(turns.slice(1).map(({ chatId }) => chatId)).size).toBe(1);
  });
});

describe("when Kimi has lost the chat", () => {
  test("deleted on Kimi's side between turns: the answer comes, once, from the whole transcript", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.say(recall("one"));
    await dialogue.say(recall("two"));
    const [, before] = sent(gateway);
    await onKimi(gateway.simulator, "kimi.chat.v1.ChatService/DeleteChat", { chat_id: before?.chatId });
    const answer = await dialogue.say(recall("three"));
    expect(answer).toMatch(/one/);
    expect(answer).toMatch(/two/);
    const turns = sent(gateway);
    expect(turns.slice(2).map(({ chatId }) => chatId)).toEqual([before?.chatId, undefined]);
    expect(turns.at(-1)?.text).toMatch(/^user: one.*user: two.*user: three/s);
    await dialogue.say("four");
    expect(sent(gateway).at(-1)).toMatchObject({ text: "four" });
  });

  test("grown too long: once more as a new chat, and if that is too long as well the client hears it", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    gateway.simulator.fault({ kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", after: 0 });
    await dialogue.say("two");
    expect(
      sent(gateway)
        .slice(1)
        .map(({ chatId }) => chatId === undefined),
    ).toEqual([false, true]);
    gateway.simulator.fault({ kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", after: 0 }, 2);
    await expect(dialogue.say("three")).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
    });
  });

  test("a turn that fails or is cut is no place to go on from", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    gateway.simulator.fault({ kind: "cut", after: 1 });
    await expect(dialogue.say("two")).rejects.toMatchObject({ code: "upstream_cut" });
    const parent = sent(gateway)[1]?.parentId;
    dialogue.backTo(1);
    await dialogue.say("two");
    expect(sent(gateway)[2]).toMatchObject({ text: "two", parentId: parent });
  });
});

describe("length", () => {
  test("a transcript over the model's limit is refused with the numbers, before anything is sent", async () => {
    const gateway = await startGateway();
    const response = await post(gateway, asking("长".repeat(600_000)));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: "context_length_exceeded",
        param: "messages",
        message: expect.stringMatching(/\d{6} tokens; k2d6-chat takes 262144/),
      },
    });
    expect(sent(gateway)).toEqual([]);
  });

  test("an answer that Kimi cut to length is reported as length, and goes on natively", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "truncated", after: 2 });
    const first = await gateway.client.chat.completions.create(ask("sim:repeat=9"));
    expect(first.choices[0]?.finish_reason).toBe("length");
    const content = first.choices[0]?.message.content ?? "";
    await post(gateway, {
      model: "kimi",
      messages: [
        ...ask("sim:repeat=9").messages,
        { role: "assistant", content },
        { role: "user", content: "go on" },
      ],
    });
    expect(sent(gateway)[1]).toMatchObject({ text: "go on", chatId: expect.any(String) });
  });
});

function ask(content: string) {
  return { model: "kimi", messages: [{ role: "user" as const, content }] };
}
