import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dialogue } from "../../conversations/dialogue.js";
import { asking, type Gateway, post, startGateway, until } from "../../gateway.js";
import { newChat } from "../../simulator/legacy-client.js";
import { protocols } from "../protocols.js";

const { asked, chats } = protocols["kimi-legacy"];
const start = (options = {}) => startGateway({ kind: "kimi-legacy", ...options });
const recall = (word: string) => `${word} sim:recall`;
const answerOf = async (response: Response) => JSON.parse(await response.text());

test("twenty turns are one chat, with only the new message each time", async () => {
  const gateway = await start();
  const dialogue = new Dialogue(gateway);
  for (let turn = 1; turn <= 20; turn++) {
    const answer = await dialogue.say(recall(`word-${turn}`));
    if (turn > 1) expect(answer.split("\n")).toEqual(dialogue.said().slice(0, -1));
  }
  expect(new Set(asked(gateway).map(({ chat }) => chat)).size).toBe(1);
  expect(asked(gateway).map(({ text }) => text)).toEqual(dialogue.said());
  expect(gateway.simulator.calls.filter(({ path }) => path === "/api/chat").length).toBe(1);
});

describe("a line goes on at its end and nowhere else", () => {
  test("an earlier turn that is edited begins a new chat, and the old one goes on where it was", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    for (const word of ["one", "two", "three"]) await dialogue.say(word);
    const before = [...dialogue.history];
    dialogue.backTo(1);
    await dialogue.say(recall("edited"));
    expect(asked(gateway).at(-1)).toEqual({
      chat: expect.not.stringMatching(asked(gateway)[0]?.chat ?? ""),
      text: expect.stringMatching(/^user: one\n\nassistant: .*\n\nuser: edited sim:recall$/s),
    });
    dialogue.history.splice(0, dialogue.history.length, ...before);
    await dialogue.say("four");
    expect(asked(gateway).at(-1)).toEqual({ chat: asked(gateway)[0]?.chat, text: "four" });
  });

  test("the last answer made again begins a new chat too", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("one");
    await dialogue.say("two");
    dialogue.backTo(1);
    await dialogue.say("two");
    expect(new Set(asked(gateway).map(({ chat }) => chat)).size).toBe(2);
    expect(asked(gateway).at(-1)?.text).toMatch(/^user: one/);
  });

  test("of the same history sent twice at once, one goes on and the other tells all of it to a new chat", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("apples");
    const messages = [...dialogue.history, { role: "user", content: "pears" }];
    await Promise.all([1, 2].map(() => post(gateway, { model: "kimi", messages })));
    const [first, ...both] = asked(gateway);
    expect(both.map(({ text }) => text.replace(/assistant: .*/, "…")).sort()).toEqual([
      "pears",
      "user: apples\n\n…\n\nuser: pears",
    ]);
    expect(both.filter(({ chat }) => chat === first?.chat).map(({ text }) => text)).toEqual(["pears"]);
  });

  test("a conversation named by its id is taken in the same way", async () => {
    const gateway = await start();
    const { conversation_id } = await answerOf(await post(gateway, asking("apples")));
    const client = new AbortController();
    gateway.simulator.fault({ kind: "stall" });
    const first = post(gateway, asking("pears", { conversation_id }), { signal: client.signal });
    await until(() => gateway.simulator.counts().openStreams === 1);
    const second = post(gateway, asking("plums", { conversation_id }));
    client.abort();
    await expect(first).rejects.toThrow();
    await second;
    const [, pears, plums] = asked(gateway);
    expect([pears, plums]).toEqual([
      { chat: conversation_id, text: "pears" },
      { chat: expect.not.stringMatching(conversation_id), text: "plums" },
    ]);
  });
});

describe("what a turn leaves behind", () => {
  /** Kimi answers this person elsewhere, as in another tab, until it is stopped there. */
  async function elsewhere({ simulator }: Gateway): Promise<() => Promise<void>> {
    const { accessToken } = simulator.issue();
    const tab = new AbortController();
    const body = JSON.stringify({ messages: [{ role: "user", content: "sim:fault=stall" }] });
    const path = `/api/chat/${await newChat(simulator, accessToken)}/completion/stream`;
    const headers = { authorization: `Bearer ${accessToken}` };
    await fetch(simulator.url + path, { method: "POST", headers, body, signal: tab.signal });
    return async () => {
      tab.abort();
      await until(() => simulator.counts().openStreams === 0);
    };
  }

  test("a turn that Kimi did not take, because it answers elsewhere, leaves the conversation as it was", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("apples");
    const done = await elsewhere(gateway);
    const busy = await post(gateway, {
      model: "kimi",
      messages: [...dialogue.history, { role: "user", content: "pears" }],
    });
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([429, "2"]);
    expect((await answerOf(busy)).error.code).toBe("account_busy");
    await done();
    await dialogue.say("pears");
    expect(asked(gateway).at(-1)).toEqual({ chat: asked(gateway)[0]?.chat, text: "pears" });
  });

  test("a turn that never reached Kimi leaves it so as well", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("apples");
    const file = { filename: "unparsable.pdf", file_data: "data:application/pdf;base64,JVBERg==" };
    const content = [
      { type: "text", text: "Read this" },
      { type: "file", file },
    ];
    const refused = await post(gateway, {
      model: "kimi",
      messages: [...dialogue.history, { role: "user", content }],
    });
    expect((await answerOf(refused)).error.code).toBe("file_rejected");
    await dialogue.say("pears");
    expect(asked(gateway).at(-1)).toEqual({ chat: asked(gateway)[0]?.chat, text: "pears" });
  });

  test("a turn that broke off is no place to go on from: Kimi may have heard it", async () => {
    const gateway = await start();
    for (const kind of ["cut", "cut-before", "error-late"] as const) {
      const dialogue = new Dialogue(gateway);
      await dialogue.say(`apples ${kind}`);
      const { chat } = asked(gateway).at(-1) ?? {};
      gateway.simulator.fault(kind === "error-late" ? { kind, code: "unavailable" } : { kind });
      await expect(dialogue.say("pears")).rejects.toThrow();
      dialogue.backTo(1);
      await dialogue.say("pears");
      expect(asked(gateway).at(-1)?.chat).not.toBe(chat);
      expect(asked(gateway).at(-1)?.text).toMatch(/^user: apples/);
    }
  });

  test("a chat that Kimi has closed is replaced, before the first word", async () => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("apples");
    gateway.simulator.fault({ kind: "error", code: "permission_denied", reason: "chat.forbidden" });
    expect(await dialogue.say("sim:recall")).toMatch(/^user: apples/);
    expect(new Set(asked(gateway).map(({ chat }) => chat)).size).toBe(2);
  });

  test("a client that leaves at any moment leaves no chat behind", async () => {
    const gateway = await start({ chats: { mode: "ephemeral" } });
    for (let n = 0; n < 100; n++) {
      const body = asking("sim:slow=5 sim:repeat=100", { stream: n % 2 === 0 });
      const left = post(gateway, body, { signal: AbortSignal.timeout(n % 20) });
      await left.then((response) => response.text()).catch(() => {});
    }
    await until(() => gateway.simulator.counts().openStreams === 0);
    expect(gateway.simulator.calls.filter(({ path }) => path === "/api/chat").length).toBeGreaterThan(10);
    await expect.poll(() => chats(gateway.simulator), { timeout: 10_000 }).toEqual([]);
  });

  test("every chat is known and deleted in the end, also where no answer came", async () => {
    const gateway = await start({ chats: { keepHours: 1 / 3_600 } });
    await post(gateway, asking("one"));
    for (const fault of [{ kind: "html" }, { kind: "http", status: 500 }, { kind: "cut-before" }] as const) {
      gateway.simulator.fault(fault);
      expect((await post(gateway, asking("two"))).ok).toBe(false);
    }
    expect((await chats(gateway.simulator)).length).toBe(4);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    gateway.sweep();
    await expect.poll(() => chats(gateway.simulator)).toEqual([]);
  });
});

test("20 conversations, interleaved and edited at random: each recalls exactly its own history", async () => {
  const gateway = await start();
  const steps = fc.sample(fc.record({ who: fc.nat(19), back: fc.option(fc.nat(5), { freq: 5 }) }), {
    numRuns: 200,
    seed: 20_261_124,
  });
  const dialogues = Array.from({ length: 20 }, () => new Dialogue(gateway));
  for (const [number, { who, back }] of steps.entries()) {
    const dialogue = dialogues[who];
    if (!dialogue) continue;
    if (back !== null && back < dialogue.said().length) dialogue.backTo(back);
    // Words are shared between conversations on purpose.
    const answer = await dialogue.say(recall(number % 3 === 0 ? "common" : `own-${who}-${number}`));
    const heard = [...answer.matchAll(/(?:common|own-\d+-\d+) sim:recall/g)].map(([word]) => word);
    // A transcript that is told anew repeats the answers, which recall as well; the words come in their order all the same.
    const before = dialogue.said().slice(0, -1);
    expect(heard.filter((word, at) => heard.indexOf(word) === at)).toEqual(
      before.filter((word, at) => before.indexOf(word) === at),
    );
  }
  const fresh = asked(gateway).filter(({ text }) => !text.startsWith("user: "));
  expect(fresh.length).toBeGreaterThan(120);
});
