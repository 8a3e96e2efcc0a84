import { describe, expect, test } from "vitest";
import type { Fault } from "../../simulator/index.js";
import { Dialogue, sentTurns } from "../conversations/dialogue.js";
import { chatBody, type Gateway, type KimiKind, postChat, startGateway, waitUntil } from "../gateway.js";
import { kinds } from "../upstreams/kimi-sides.js";

const otherKey = "sk-CANARY-other";
const keys = [{ name: "other", key: otherKey }];
const page = "<!doctype html><title>502 Bad Gateway</title>";

/** Sends a prompt with the other key; resolves to its status and the milliseconds that it took. */
async function sendAsOther(gateway: Gateway, content: string) {
  const startedAt = performance.now();
  const response = await postChat(gateway, chatBody(content), {
    headers: { authorization: `Bearer ${otherKey}`, "content-type": "application/json" },
  });
  await response.text();
  return { status: response.status, milliseconds: performance.now() - startedAt };
}

/** Sends prompts of the other key one after the other until `isOver`, at least one. */
async function sendOthersUntil(gateway: Gateway, isOver: () => boolean) {
  const answers = [];
  do answers.push(await sendAsOther(gateway, `other ${answers.length}`));
  while (!isOver());
  return answers;
}

function report(what: string, answers: readonly { milliseconds: number }[]): void {
  const times = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  console.log(`${what}: ${times.length} requests of others, the longest took ${times.at(-1)?.toFixed(0)} ms`);
}

/** Asks a second question, disconnects in the middle of its answer, and edits it, as a user does who presses Stop. */
async function stopAndEdit(gateway: Gateway) {
  const dialogue = new Dialogue(gateway);
  await dialogue.send("first");
  const stopped = new AbortController();
  const messages = [...dialogue.history, { role: "user", content: "sim:slow=20 sim:repeat=500" }];
  const response = await postChat(
    gateway,
    { model: "kimi", messages, stream: true },
    { signal: stopped.signal },
  );
  await response.body?.getReader().read();
  stopped.abort();
  await waitUntil(() => gateway.simulator.counts().cancels === 1);
  return dialogue;
}

describe("a chat in which Kimi is still answering", () => {
  test("the edited message after Stop is repeated in the same chat, and others do not wait", async () => {
    const gateway = await startGateway({ concurrency: 1, keys, simulator: { cancelMilliseconds: 1_500 } });
    const dialogue = await stopAndEdit(gateway);
    let isAnswered = false;
    const answer = dialogue.send("edited sim:recall").finally(() => {
      isAnswered = true;
    });
    await waitUntil(() => sentTurns(gateway).some(({ text }) => text === "edited sim:recall"));
    const others = await sendOthersUntil(gateway, () => isAnswered);
    report("after REASON_CHAT_IN_PROGRESS", others);
    expect(await answer).toBe("first");
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
    // Before the message could be repeated, several others were answered one after the other.
    expect(others.length).toBeGreaterThan(2);
    const edited = sentTurns(gateway).filter(({ text }) => text === "edited sim:recall");
    expect(edited.length).toBeGreaterThan(1);
    expect(new Set(edited.map(({ chatId }) => chatId))).toEqual(new Set([edited[0]?.chatId]));
    expect(edited[0]?.chatId).toBeDefined();
  });

  test("after three repetitions the message is sent in a new chat with the whole transcript", async () => {
    const gateway = await startGateway({ simulator: { cancelMilliseconds: 60_000 } });
    const dialogue = await stopAndEdit(gateway);
    const startedAt = performance.now();
    await dialogue.send("edited");
    // The delays before the repetitions are 1, 2 and 3 s; timers may be a little early.
    expect(performance.now() - startedAt).toBeGreaterThan(5_900);
    const turns = sentTurns(gateway).slice(2);
    expect(turns.map(({ chatId }) => chatId === undefined)).toEqual([false, false, false, false, true]);
    expect(turns.at(-1)?.text).toMatch(/^user: first\n\nassistant: .*\n\nuser: edited$/s);
    await dialogue.send("next");
    expect(sentTurns(gateway).at(-1)).toMatchObject({ chatId: expect.any(String), text: "next" });
  }, 30_000);

  test("a message that names its conversation and has no transcript gets 429 chat_busy in the end", async () => {
    const gateway = await startGateway();
    const first = JSON.parse(await (await postChat(gateway, chatBody("first"))).text());
    gateway.simulator.fault(
      { kind: "error", code: "resource_exhausted", reason: "REASON_CHAT_IN_PROGRESS" },
      4,
    );
    const second = chatBody("second", { conversation_id: first.conversation_id });
    const response = await postChat(gateway, second);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "3"]);
    expect(await response.json()).toMatchObject({ error: { code: "chat_busy" } });
    expect((await postChat(gateway, second)).status).toBe(200);
  }, 30_000);

  test("a client that disconnects while its message waits sends nothing more", async () => {
    const gateway = await startGateway({ simulator: { cancelMilliseconds: 60_000 } });
    const dialogue = await stopAndEdit(gateway);
    const left = new AbortController();
    const messages = [...dialogue.history, { role: "user", content: "edited" }];
    const response = postChat(gateway, { model: "kimi", messages }, { signal: left.signal });
    response.catch(() => {});
    await waitUntil(() => sentTurns(gateway).length === 3);
    left.abort();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(sentTurns(gateway).length).toBe(3);
  });
});

/** Failures of one prompt that say nothing certain about the account. */
const promptFailures: [KimiKind, Fault][] = kinds.flatMap((kind) => [
  [kind, { kind: "http", status: 502, body: page }],
  [kind, { kind: "http", status: 503, body: page }],
  [kind, { kind: "http", status: 503, body: page, retryAfter: 30 }],
  [kind, { kind: "http", status: 429, body: page }],
  [kind, { kind: "http", status: 500, body: page }],
]);
promptFailures.push(
  ["kimi-web", { kind: "error", code: "resource_exhausted", reason: "REASON_CHAT_IN_PROGRESS" }],
  ["kimi-web", { kind: "error", code: "resource_exhausted", reason: "REASON_NEVER_SEEN" }],
  [
    "kimi-web",
    { kind: "error", code: "resource_exhausted", reason: "REASON_RESEARCH_TASK_CONCURRENT_LIMIT" },
  ],
  ["kimi-web", { kind: "exception", reason: "REASON_COMPLETION_OVERLOADED", after: 0 }],
  ["kimi-legacy", { kind: "error", code: "unavailable" }],
);

describe("a prompt that fails however often it is sent again costs that prompt alone", () => {
  test.each(promptFailures)("%s %j", async (kind, fault) => {
    const gateway = await startGateway({ kind, concurrency: 1, keys });
    for (let attempt = 0; attempt < 3; attempt++) {
      gateway.simulator.fault(fault);
      expect((await postChat(gateway, chatBody("poison"))).ok).toBe(false);
    }
    const other = await sendAsOther(gateway, "hello");
    report(`${kind} ${JSON.stringify(fault)}`, [other]);
    expect(other.status).toBe(200);
    // A pause would last five seconds or more.
    expect(other.milliseconds).toBeLessThan(4_000);
  });

  test("an overload of two different prompts pauses the account, and the next one waits", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "http", status: 503, body: page }, 2);
    for (const prompt of ["one", "two"]) expect((await postChat(gateway, chatBody(prompt))).status).toBe(503);
    expect((await postChat(gateway, chatBody("three"))).status).toBe(200);
    const [, second, third] = gateway.simulator.calls.filter(({ path }) => path.endsWith("ChatService/Chat"));
    expect((third?.receivedAt ?? 0) - (second?.receivedAt ?? 0)).toBeGreaterThan(4_900);
  }, 20_000);
});
