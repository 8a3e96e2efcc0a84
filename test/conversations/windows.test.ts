import { describe, expect, test } from "vitest";
import { apiKey, type Gateway, parseChunks, startGateway } from "../gateway.js";
import { sentTurns } from "./dialogue.js";

type ChatMessage = { role: string; content: string };

/** An answer of 200 characters that is a function of the question, as a canned answer is. */
const longAnswer = (question: string) => `${question}: `.padEnd(200, "an answer that is long enough ");
const script = (answer: (question: string) => string) => (turn: { text: string }) => [
  { do: "text" as const, content: [answer(turn.text.split("user: ").at(-1)?.split("\n")[0] ?? "")] },
];

/** A UI that sends only the last messages of its history, as NextChat does, and its system text. */
class WindowedDialogue {
  readonly #gateway: Gateway;
  readonly #size: number;
  readonly #options: { system?: string; headers?: Record<string, string> };
  readonly history: ChatMessage[] = [];

  constructor(
    gateway: Gateway,
    size: number,
    options: { system?: string; headers?: Record<string, string> } = {},
  ) {
    this.#gateway = gateway;
    this.#size = size;
    this.#options = options;
  }

  async send(content: string): Promise<void> {
    this.history.push({ role: "user", content });
    const { system, headers } = this.#options;
    const messages = [
      ...(system === undefined ? [] : [{ role: "system", content: system }]),
      ...this.history.slice(-this.#size - 1),
    ];
    const response = await fetch(`${this.#gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "kimi", messages, stream: true }),
    });
    const chunks = parseChunks(await response.text());
    this.history.push({
      role: "assistant",
      content: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
    });
  }
}

function chatsOf(gateway: Gateway): number {
  return sentTurns(gateway).filter(({ chatId }) => chatId === undefined).length;
}

describe("a UI that sends a window of its history", () => {
  test("NextChat's window of 4 messages stays in one chat for 12 turns and sends only the new message", async () => {
    const gateway = await startGateway({ simulator: { script: script(longAnswer) } });
    const dialogue = new WindowedDialogue(gateway, 4, {
      system: "You are ChatGPT.\nCurrent time: Sat Nov 28 2026 21:39:14 GMT+0800 (China Standard Time)",
    });
    for (let turn = 0; turn < 12; turn++) await dialogue.send(`question ${turn}`);
    expect(chatsOf(gateway)).toBe(1);
    expect(
      sentTurns(gateway)
        .slice(1)
        .map(({ text }) => text),
    ).toEqual(Array.from({ length: 11 }, (_, turn) => `question ${turn + 1}`));
  });

  test("opens a new chat where another conversation has the same answer", async () => {
    const gateway = await startGateway({ simulator: { script: script(longAnswer) } });
    const dialogues = [new WindowedDialogue(gateway, 2), new WindowedDialogue(gateway, 2)];
    for (const [index, dialogue] of dialogues.entries()) {
      await dialogue.send(`secret ${index}`);
      await dialogue.send("equal question");
    }
    for (const dialogue of dialogues) await dialogue.send("next");
    const last = sentTurns(gateway).slice(-2);
    expect(last.map(({ chatId }) => chatId)).toEqual([undefined, undefined]);
    for (const { text } of last) expect(text).not.toMatch(/secret/);
  });

  test("opens a new chat where another conversation had the same answer that no longer fits into the store", async () => {
    const gateway = await startGateway({ simulator: { script: script(longAnswer) } });
    const dialogues = [new WindowedDialogue(gateway, 2), new WindowedDialogue(gateway, 2)];
    const [first, second] = dialogues;
    await first?.send("secret 0");
    await first?.send("equal question");
    await gateway.store.trimNodes({ nodes: 0, forgottenAnswers: 100, tombstonesBefore: 0 }, Date.now());
    await second?.send("secret 1");
    await second?.send("equal question");
    for (const dialogue of dialogues) await dialogue.send("next");
    const last = sentTurns(gateway).slice(-2);
    expect(last.map(({ chatId }) => chatId)).toEqual([undefined, undefined]);
    for (const { text } of last) expect(text).not.toMatch(/secret/);
  });

  test("with short answers opens a new chat, unless it sends a session id", async () => {
    const short = (question: string) => `ok, ${question}`;
    for (const [headers, chats] of [
      [undefined, 3],
      [{ "x-session-affinity": "session-1" }, 1],
    ] as const) {
      const gateway = await startGateway({ simulator: { script: script(short) } });
      const dialogue = new WindowedDialogue(gateway, 2, headers ? { headers } : {});
      for (let turn = 0; turn < 4; turn++) await dialogue.send(`question ${turn}`);
      expect(chatsOf(gateway)).toBe(chats);
    }
  });

  test("with another session id is another conversation, however long the answer", async () => {
    const gateway = await startGateway({ simulator: { script: script(longAnswer) } });
    const first = new WindowedDialogue(gateway, 2, { headers: { "x-session-affinity": "session-1" } });
    for (let turn = 0; turn < 3; turn++) await first.send(`question ${turn}`);
    const second = new WindowedDialogue(gateway, 2, { headers: { "x-session-affinity": "session-2" } });
    second.history.push(...first.history);
    await second.send("question 3");
    expect(sentTurns(gateway).at(-1)?.chatId).toBeUndefined();
  });

  test('with "windows": "new" opens a new chat as soon as its window moves', async () => {
    const gateway = await startGateway({
      simulator: { script: script(longAnswer) },
      chats: { windows: "new" },
    });
    const dialogue = new WindowedDialogue(gateway, 2);
    for (let turn = 0; turn < 4; turn++) await dialogue.send(`question ${turn}`);
    expect(chatsOf(gateway)).toBe(3);
  });
});

describe("two assistants with the same greeting", () => {
  const greeting: ChatMessage = { role: "assistant", content: "Hello! How can I help?" };

  test("never continue in the chat with the other's system text", async () => {
    const gateway = await startGateway({ simulator: { script: script(() => "Hi.") } });
    const dialogues = ["You are Ann.", "You are Bob."].map((system) => {
      const dialogue = new WindowedDialogue(gateway, 100, { system });
      dialogue.history.push(greeting);
      return dialogue;
    });
    for (const text of ["hi", "next", "last"]) for (const dialogue of dialogues) await dialogue.send(text);
    const turns = sentTurns(gateway);
    expect(chatsOf(gateway)).toBe(2);
    const chatOf = (index: number) => turns[index]?.chatId;
    expect(chatOf(2)).not.toBe(chatOf(3));
    expect([chatOf(4), chatOf(5)]).toEqual([chatOf(2), chatOf(3)]);
    expect(turns.slice(2).map(({ text }) => text)).toEqual(["next", "next", "last", "last"]);
  });

  test("continue their chat although the clock in the system text moves", async () => {
    const gateway = await startGateway({ simulator: { script: script(() => "Hi.") } });
    let minute = 10;
    const options = {
      get system() {
        return `You are Ann. It is 2026-11-28 12:${minute}.`;
      },
    };
    const dialogue = new WindowedDialogue(gateway, 100, options);
    for (const text of ["hi", "next", "last"]) {
      await dialogue.send(text);
      minute++;
    }
    expect(chatsOf(gateway)).toBe(1);
    expect(sentTurns(gateway).at(-1)?.text).toBe(
      "system: You are Ann. It is 2026-11-28 12:12.\n\nuser: last",
    );
  });
});

test("an answer whose echo names another place is an error, and its chat is not used again", async () => {
  const gateway = await startGateway({ simulator: { script: script(longAnswer) } });
  const dialogue = new WindowedDialogue(gateway, 100);
  await dialogue.send("one");
  gateway.simulator.fault({ kind: "wrong-parent" });
  await expect(dialogue.send("two")).rejects.toThrow();
  expect(gateway.logEntries().at(-1)).toMatchObject({
    failure: "upstream_protocol",
    upstreamCode: "wrong_place",
  });
  dialogue.history.pop();
  await dialogue.send("two");
  expect(sentTurns(gateway).at(-1)).toMatchObject({
    chatId: undefined,
    text: expect.stringMatching(/user: one/),
  });
});
