import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dialogue } from "../../conversations/dialogue.js";
import { chatBody, type Gateway, postChat, startGateway, waitUntil } from "../../gateway.js";
import { createChat } from "../../simulator/legacy-client.js";
import { kimiSides } from "../kimi-sides.js";

const { sentMessages, listChats } = kimiSides["kimi-legacy"];
const start = (options = {}) => startGateway({ kind: "kimi-legacy", ...options });
const recall = (word: string) => `${word} sim:recall`;
const parseBody = async (response: Response) => JSON.parse(await response.text());

test("sends twenty turns to one chat, each with only its new message", async () => {
  const gateway = await start();
  const dialogue = new Dialogue(gateway);
  for (let turn = 1; turn <= 20; turn++) {
    const answer = await dialogue.send(recall(`word-${turn}`));
    if (turn > 1) expect(answer.split("\n")).toEqual(dialogue.userMessages().slice(0, -1));
  }
  expect(new Set(sentMessages(gateway).map(({ chat }) => chat)).size).toBe(1);
  expect(sentMessages(gateway).map(({ text }) => text)).toEqual(dialogue.userMessages());
  expect(gateway.simulator.calls.filter(({ path }) => path === "/api/chat").length).toBe(1);
});

describe("a chat continues only at its end", () => {
  test("an edited earlier turn starts a new chat, and the old chat can still be continued", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    for (const word of ["one", "two", "three"]) await dialogue.send(word);
    const before = [...dialogue.history];
    dialogue.rewindTo(1);
    await dialogue.send(recall("edited"));
    expect(sentMessages(gateway).at(-1)).toEqual({
      chat: expect.not.stringMatching(sentMessages(gateway)[0]?.chat ?? ""),
      text: expect.stringMatching(/^user: one\n\nassistant: .*\n\nuser: edited sim:recall$/s),
    });
    dialogue.history.splice(0, dialogue.history.length, ...before);
    await dialogue.send("four");
    expect(sentMessages(gateway).at(-1)).toEqual({ chat: sentMessages(gateway)[0]?.chat, text: "four" });
  });

  test("a regenerated last answer starts a new chat", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    await dialogue.send("two");
    dialogue.rewindTo(1);
    await dialogue.send("two");
    expect(new Set(sentMessages(gateway).map(({ chat }) => chat)).size).toBe(2);
    expect(sentMessages(gateway).at(-1)?.text).toMatch(/^user: one/);
  });

  test("of two concurrent requests with the same history, one continues the chat and one starts a new chat", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("apples");
    const messages = [...dialogue.history, { role: "user", content: "pears" }];
    await Promise.all([1, 2].map(() => postChat(gateway, { model: "kimi", messages })));
    const [first, ...nextMessages] = sentMessages(gateway);
    expect(nextMessages.map(({ text }) => text.replace(/assistant: .*/, "…")).sort()).toEqual([
      "pears",
      "user: apples\n\n…\n\nuser: pears",
    ]);
    expect(nextMessages.filter(({ chat }) => chat === first?.chat).map(({ text }) => text)).toEqual([
      "pears",
    ]);
  });

  test("requests with a conversation id continue at its end, one after the other", async () => {
    const gateway = await start();
    const { conversation_id } = await parseBody(await postChat(gateway, chatBody("apples")));
    const next = chatBody("sim:recall", { conversation_id });
    const answers = await Promise.all([1, 2].map(async () => parseBody(await postChat(gateway, next))));
    expect(new Set(sentMessages(gateway).map(({ chat }) => chat)).size).toBe(1);
    expect(sentMessages(gateway).length).toBe(3);
    const recalled = answers.map(({ choices }) => choices[0].message.content.split("\n").length);
    expect(recalled.sort()).toEqual([1, 2]);
  });
});

describe("after a failed or aborted turn", () => {
  /** Occupies the account with another answer, as in a browser tab, until the returned function is called. */
  async function occupyAccount({ simulator }: Gateway): Promise<() => Promise<void>> {
    const { accessToken } = simulator.issue();
    const tab = new AbortController();
    const body = JSON.stringify({ messages: [{ role: "user", content: "sim:fault=stall" }] });
    const path = `/api/chat/${await createChat(simulator, accessToken)}/completion/stream`;
    const headers = { authorization: `Bearer ${accessToken}` };
    await fetch(simulator.url + path, { method: "POST", headers, body, signal: tab.signal });
    return async () => {
      tab.abort();
      await waitUntil(() => simulator.counts().openStreams === 0);
    };
  }

  test("a turn refused by a busy account waits, then continues the same chat", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("apples");
    const release = await occupyAccount(gateway);
    const waitingAnswer = dialogue.send("pears");
    await waitUntil(() => sentMessages(gateway).length > 2);
    await release();
    await waitingAnswer;
    const sent = sentMessages(gateway);
    expect(sent.at(-1)).toEqual({ chat: sent[0]?.chat, text: "pears" });
    expect(gateway.simulator.calls.filter(({ path }) => path === "/api/chat").length).toBe(2);
  });

  test("a turn that never reached Kimi leaves the chat continuable", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("apples");
    const file = { filename: "unparsable.pdf", file_data: "data:application/pdf;base64,JVBERg==" };
    const content = [
      { type: "text", text: "Read this" },
      { type: "file", file },
    ];
    const refused = await postChat(gateway, {
      model: "kimi",
      messages: [...dialogue.history, { role: "user", content }],
    });
    expect((await parseBody(refused)).error.code).toBe("file_rejected");
    await dialogue.send("pears");
    expect(sentMessages(gateway).at(-1)).toEqual({ chat: sentMessages(gateway)[0]?.chat, text: "pears" });
  });

  test("a turn that broke off ends the chat, since Kimi may have received it", async () => {
    const gateway = await start();
    for (const kind of ["cut", "cut-before", "error-late"] as const) {
      const dialogue = new Dialogue(gateway);
      await dialogue.send(`apples ${kind}`);
      const { chat } = sentMessages(gateway).at(-1) ?? {};
      // On an idle connection a request that is cut before a byte is sent once more.
      const times = kind === "cut-before" ? 2 : 1;
      gateway.simulator.fault(kind === "error-late" ? { kind, code: "unavailable" } : { kind }, times);
      await expect(dialogue.send("pears")).rejects.toThrow();
      dialogue.rewindTo(1);
      await dialogue.send("pears");
      expect(sentMessages(gateway).at(-1)?.chat).not.toBe(chat);
      expect(sentMessages(gateway).at(-1)?.text).toMatch(/^user: apples/);
    }
  });

  test("a chat that Kimi has closed is replaced before the first delta", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("apples");
    gateway.simulator.fault({ kind: "error", code: "permission_denied", reason: "chat.forbidden" });
    expect(await dialogue.send("sim:recall")).toMatch(/^user: apples/);
    expect(new Set(sentMessages(gateway).map(({ chat }) => chat)).size).toBe(2);
  });

  test("no chat is left behind whenever the client disconnects", async () => {
    const gateway = await start({ chats: { mode: "ephemeral" } });
    for (let n = 0; n < 100; n++) {
      const body = chatBody("sim:slow=5 sim:repeat=100", { stream: n % 2 === 0 });
      const aborted = postChat(gateway, body, { signal: AbortSignal.timeout(n % 20) });
      await aborted.then((response) => response.text()).catch(() => {});
    }
    await waitUntil(() => gateway.simulator.counts().openStreams === 0);
    expect(gateway.simulator.calls.filter(({ path }) => path === "/api/chat").length).toBeGreaterThan(10);
    await expect.poll(() => listChats(gateway.simulator), { timeout: 10_000 }).toEqual([]);
  });

  test("every chat is deleted in the end, even without an answer", async () => {
    const gateway = await start({ chats: { keepHours: 1 / 3_600 } });
    await postChat(gateway, chatBody("one"));
    for (const fault of [{ kind: "html" }, { kind: "http", status: 500 }, { kind: "cut" }] as const) {
      gateway.simulator.fault(fault);
      expect((await postChat(gateway, chatBody("two"))).ok).toBe(false);
    }
    expect((await listChats(gateway.simulator)).length).toBe(4);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    gateway.deleteExpiredChats();
    await expect.poll(() => listChats(gateway.simulator)).toEqual([]);
  });
});

test("20 conversations, interleaved and edited at random, each recall exactly their own history", async () => {
  const gateway = await start();
  const steps = fc.sample(
    fc.record({ dialogueIndex: fc.nat(19), rewindTo: fc.option(fc.nat(5), { freq: 5 }) }),
    {
      numRuns: 200,
      seed: 20_261_124,
    },
  );
  const dialogues = Array.from({ length: 20 }, () => new Dialogue(gateway));
  for (const [number, { dialogueIndex, rewindTo }] of steps.entries()) {
    const dialogue = dialogues[dialogueIndex];
    if (!dialogue) continue;
    if (rewindTo !== null && rewindTo < dialogue.userMessages().length) dialogue.rewindTo(rewindTo);
    // Words are shared between conversations on purpose.
    const answer = await dialogue.send(
      recall(number % 3 === 0 ? "common" : `own-${dialogueIndex}-${number}`),
    );
    const recalled = [...answer.matchAll(/(?:common|own-\d+-\d+) sim:recall/g)].map(([word]) => word);
    // A resent transcript repeats the answers, which recall words too. The first occurrences keep their order.
    const before = dialogue.userMessages().slice(0, -1);
    expect(recalled.filter((word, at) => recalled.indexOf(word) === at)).toEqual(
      before.filter((word, at) => before.indexOf(word) === at),
    );
  }
  const continuedTurns = sentMessages(gateway).filter(({ text }) => !text.startsWith("user: "));
  expect(continuedTurns.length).toBeGreaterThan(120);
});
