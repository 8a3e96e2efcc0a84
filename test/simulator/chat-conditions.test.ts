import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.js";
import {
  answerText,
  callUnary,
  chatRequest,
  encodeFrame,
  type Json,
  postChat,
  sendChat,
  toRecord,
  trailerOf,
  turnIds,
} from "./client.js";

let simulator: Simulator;
let token: string;

async function start(options: SimulatorOptions = {}): Promise<void> {
  simulator = await startSimulator(options);
  token = simulator.issue().accessToken;
}

beforeEach(() => start());
afterEach(() => simulator.close());

const service = "kimi.gateway.chat.v1.ChatService";

function send(text: string, chat?: string) {
  return sendChat(simulator, token, chatRequest(text, { top: { chat_id: chat } }));
}

async function reasonOf(frames: ReturnType<typeof send>): Promise<unknown> {
  const [detail] = [toRecord(trailerOf(await frames)?.error).details].flat();
  return toRecord(toRecord(detail).debug).reason;
}

async function getChat(chat: string): Promise<Json> {
  const { body } = await callUnary(simulator, `${service}/GetChat`, { chat_id: chat }, token);
  return toRecord(body.chat);
}

describe("a chat in progress", () => {
  /** Starts an answer that never ends in a chat with one turn before it. */
  async function startAnswer() {
    const { chat } = turnIds(await send("hello"));
    const stop = new AbortController();
    const body = encodeFrame(JSON.stringify(chatRequest("sim:fault=stall", { top: { chat_id: chat } })));
    const running = postChat(simulator, body, token, stop.signal).catch(() => undefined);
    await expect.poll(async () => (await getChat(chat)).statusText, { timeout: 20_000 }).toBe("Working");
    return { chat, running, stop };
  }

  test("refuses a message while it answers, and takes one after the client has left", async () => {
    const { chat, running, stop } = await startAnswer();
    expect(await reasonOf(send("again", chat))).toBe("REASON_CHAT_IN_PROGRESS");
    // Other chats of the account are free.
    expect(trailerOf(await send("elsewhere"))).toEqual({});
    stop.abort();
    await running;
    await expect.poll(async () => (await getChat(chat)).statusText, { timeout: 20_000 }).toBe("Completed");
    expect(answerText(await send("sim:say=free", chat))).toBe("free");
  });

  test("refuses a message after a cancel, by default for seconds", async () => {
    const { chat, running } = await startAnswer();
    await callUnary(simulator, `${service}/CancelChat`, { chat_id: chat }, token);
    await running;
    expect(await getChat(chat)).toMatchObject({ status: "STATUS_COMPLETED", statusText: "Completed" });
    expect(await reasonOf(send("again", chat))).toBe("REASON_CHAT_IN_PROGRESS");
    // A refusal does not use up the fault for the next answer.
    simulator.fault({ kind: "empty" });
    expect(await reasonOf(send("again", chat))).toBe("REASON_CHAT_IN_PROGRESS");
    expect(answerText(await send("elsewhere"))).toBe("");
    await expect
      .poll(async () => answerText(await send("sim:say=free", chat)), { timeout: 20_000 })
      .toBe("free");
  });

  test("takes a message at once after a cancel with cancelMilliseconds 0", async () => {
    await simulator.close();
    await start({ cancelMilliseconds: 0 });
    const { chat, running } = await startAnswer();
    await callUnary(simulator, `${service}/CancelChat`, { chat_id: chat }, token);
    await running;
    expect(answerText(await send("sim:say=free", chat))).toBe("free");
  });

  test("is free after every way in which an answer fails", async () => {
    const { chat } = turnIds(await send("hello"));
    for (const kind of ["cut", "cut-in-frame", "no-trailer", "error-late", "status-error"] as const) {
      simulator.fault(kind === "error-late" ? { kind, code: "internal" } : { kind });
      await send("one two three four", chat);
      expect(answerText(await send("sim:say=free", chat))).toBe("free");
    }
  });

  test("is free after a script has thrown", async () => {
    await simulator.close();
    await start({
      script: ({ text }) => {
        if (text === "throw") throw new Error("a mistake in the test");
        return undefined;
      },
    });
    const { chat } = turnIds(await send("hello"));
    await send("throw", chat);
    expect(answerText(await send("sim:say=free", chat))).toBe("free");
  });
});

describe("a prompt that is too long", () => {
  test("fails above 513,000 characters, and its chat takes no message any more", async () => {
    const { chat } = turnIds(await send(`${"x".repeat(512_983)}\nsim:say=accepted`));
    expect((await getChat(chat)).messageContent).toBe("accepted");
    expect(await reasonOf(send("x".repeat(513_001), chat))).toBe("REASON_TOKEN_LENGTH_TOO_LONG");
    expect(await reasonOf(send("short", chat))).toBe("REASON_TOKEN_LENGTH_TOO_LONG");
    expect(await reasonOf(send("x".repeat(513_001)))).toBe("REASON_TOKEN_LENGTH_TOO_LONG");
    expect(trailerOf(await send("short"))).toEqual({});
  });

  test("also as an exception inside the answer locks the chat", async () => {
    simulator.fault({ kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", severity: "SEVERITY_INFO" });
    const { chat } = turnIds(await send("hello"));
    expect(await reasonOf(send("short", chat))).toBe("REASON_TOKEN_LENGTH_TOO_LONG");
  });
});

test("a new chat opens with an empty system message, the parent of the first question", async () => {
  const messages = (await send("hello"))
    .filter(({ json }) => json.mask === "message")
    .map(({ json }) => toRecord(json.message));
  const [system, user] = messages;
  expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant"]);
  expect(system).not.toHaveProperty("blocks");
  expect(system?.parentId).toBe("00000000-0000-0000-0000-000000000000");
  expect(user?.parentId).toBe(system?.id);
});

test("a slow answer has heartbeats between its deltas, a stalled one has none", async () => {
  await simulator.close();
  await start({ heartbeatMilliseconds: 10 });
  const heartbeats = (frames: Awaited<ReturnType<typeof send>>) =>
    frames.filter(({ json }) => "heartbeat" in json).length;
  // Two heartbeats open each stream.
  expect(heartbeats(await send("sim:repeat=2 sim:slow=50"))).toBeGreaterThanOrEqual(2 + 2 * 4);
  expect(heartbeats(await send("sim:repeat=2"))).toBe(2);
  const { chat } = turnIds(await send("hello"));
  const stalled = send("sim:fault=stall", chat);
  await expect.poll(async () => (await getChat(chat)).statusText, { timeout: 20_000 }).toBe("Working");
  await sleep(100);
  await callUnary(simulator, `${service}/CancelChat`, { chat_id: chat }, token);
  expect(heartbeats(await stalled)).toBe(2);
});

test.each(["user:sim:say=heard", "User: sim:say=heard", "human：sim:say=heard", "用户：sim:say=heard"])(
  "a directive right behind a role word is heard: %s",
  async (text) => {
    expect(answerText(await send(text))).toBe("heard");
  },
);

test.each(["superuser:sim:say=heard", "xsim:say=heard", "user:sim:say=heard\n\nassistant: no"])(
  "a directive inside of a word or in an earlier line is not: %s",
  async (text) => {
    expect(answerText(await send(text))).not.toBe("heard");
  },
);
