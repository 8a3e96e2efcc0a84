import { describe, expect, test } from "vitest";
import { KeyBudgets } from "../../src/chat/key-budgets.js";
import type { KeyConfig } from "../../src/config/key-schema.js";
import { calendarDay } from "../../src/core/calendar-day.js";
import { ask, testedDialects } from "../faults/dialects.js";
import { chatBody, type Gateway, postChat, startGateway, waitUntil } from "../gateway.js";
import { createInMemoryStorage, InMemoryStore } from "../store/in-memory-store.js";

const key = "sk-CANARY-budgeted";

const startWithKey = (settings: Partial<KeyConfig>): Promise<Gateway> =>
  startGateway({ keys: [{ name: "phone", key, ...settings }] });

const send = (gateway: Gateway, fields: Record<string, unknown> = {}, init: RequestInit = {}) =>
  postChat(gateway, chatBody("hello", fields), {
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...init,
  });

const today = () => calendarDay(Date.now()).date;
const chatsOf = ({ simulator }: Gateway) => simulator.counts().chats;

describe("requestsPerDay of a key", () => {
  test("counts the requests of all dialects; then it is 429 until midnight, and no other key is concerned", async () => {
    const gateway = await startWithKey({ requestsPerDay: 3 });
    expect((await send(gateway)).status).toBe(200);
    expect(await (await send(gateway, { stream: true })).text()).toContain("[DONE]");
    const ollama = (path: string) =>
      fetch(`${gateway.url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "kimi", prompt: "hello", stream: false }),
      });
    expect((await ollama("/api/generate")).status).toBe(200);

    const chats = chatsOf(gateway);
    const refused = await send(gateway);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(25 * 3_600);
    expect(await refused.json()).toMatchObject({
      error: {
        code: "insufficient_quota",
        message: expect.stringMatching(/key “phone”.*requestsPerDay: 3.*midnight.*in \d+ h \d+ min/),
      },
    });
    expect((await send(gateway, { stream: true })).status).toBe(429);
    expect((await ollama("/api/generate")).status).toBe(429);
    expect(chatsOf(gateway)).toBe(chats);
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
  });

  test("is not used up by requests that are refused before an upstream is chosen", async () => {
    const gateway = await startWithKey({ requestsPerDay: 1 });
    expect((await send(gateway, { model: "unknown" })).status).toBe(404);
    expect((await send(gateway, { temperature: "warm" })).status).toBe(400);
    expect((await send(gateway)).status).toBe(200);
  });

  test("lets exactly so many of a hundred requests at once pass", async () => {
    const gateway = await startWithKey({ requestsPerDay: 40 });
    const responses = await Promise.all(Array.from({ length: 100 }, () => send(gateway)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(40);
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(60);
  });
});

describe.each(testedDialects)("over $name", (dialect) => {
  test("a request is counted, and one beyond the budget is refused until midnight", async () => {
    const gateway = await startWithKey({ requestsPerDay: 2 });
    for (const stream of [true, false])
      expect((await ask(gateway, dialect, "hello", { stream, key })).status).toBe(200);
    expect((await gateway.store.findKeyUsage("phone", today())).requests).toBe(2);
    const chats = chatsOf(gateway);
    for (const stream of [true, false]) {
      const refused = await ask(gateway, dialect, "hello", { stream, key });
      const body = await refused.text();
      expect(body).toContain("requestsPerDay: 2");
      if (stream && dialect.failsInStream?.("insufficient_quota")) {
        // Codex shows the message of this code alone.
        expect(dialect.parseStream(body).error).toMatchObject({ code: "invalid_prompt" });
        continue;
      }
      expect(refused.status).toBe(429);
      expect(JSON.parse(body)).toEqual(dialect.error("insufficient_quota"));
      const untilMidnight = calendarDay(Date.now()).end - Date.now();
      const seconds = Number(refused.headers.get("retry-after"));
      expect(Math.abs(seconds - untilMidnight / 1_000)).toBeLessThan(60);
    }
    expect(chatsOf(gateway)).toBe(chats);
    expect((await gateway.store.findKeyUsage("phone", today())).requests).toBe(2);
  });

  test("the tokens of an answer are counted, whether the client asks for them or not", async () => {
    const gateway = await startWithKey({ tokensPerDay: 1_000_000 });
    let before = 0;
    for (const stream of [true, false]) {
      await (await ask(gateway, dialect, "hello", { stream, key })).text();
      const { tokens } = await gateway.store.findKeyUsage("phone", today());
      expect(tokens).toBeGreaterThan(before);
      before = tokens;
    }
  });
});

test("counting tokens is no request of the budget", async () => {
  const gateway = await startWithKey({ requestsPerDay: 1, tokensPerDay: 1_000 });
  for (let count = 0; count < 3; count++) {
    const response = await fetch(`${gateway.url}/v1/messages/count_tokens`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "kimi", messages: [{ role: "user", content: "hello" }] }),
    });
    expect(response.status).toBe(200);
  }
  expect(await gateway.store.findKeyUsage("phone", today())).toEqual({ requests: 0, tokens: 0 });
});

describe("tokensPerDay of a key", () => {
  test("counts the usage of each answer, and refuses the first request after it is reached", async () => {
    const gateway = await startWithKey({ tokensPerDay: 30 });
    let tokens = 0;
    while (tokens < 30) {
      const response = await send(gateway);
      expect(response.status).toBe(200);
      const { usage }: { usage: { total_tokens: number } } = JSON.parse(await response.text());
      tokens += usage.total_tokens;
      expect((await gateway.store.findKeyUsage("phone", today())).tokens).toBe(tokens);
    }
    const refused = await send(gateway);
    expect(refused.status).toBe(429);
    expect(await refused.text()).toContain("tokensPerDay: 30");
  });

  test("counts a stream without usage, and a cancelled answer as far as it went", async () => {
    const gateway = await startWithKey({ tokensPerDay: 1_000_000 });
    await (await send(gateway, { stream: true })).text();
    const { tokens: afterStream } = await gateway.store.findKeyUsage("phone", today());
    expect(afterStream).toBeGreaterThan(10);

    const abort = new AbortController();
    const body = JSON.stringify(chatBody("sim:repeat=1000 sim:slow=20", { stream: true }));
    const response = await send(gateway, {}, { body, signal: abort.signal });
    const reader = response.body?.getReader();
    for (let text = ""; !text.includes('"5 "'); ) {
      const { value } = (await reader?.read()) ?? {};
      text += new TextDecoder().decode(value);
    }
    abort.abort();
    let cancelled = 0;
    await waitUntil(() => {
      void gateway.store.findKeyUsage("phone", today()).then(({ tokens }) => {
        cancelled = tokens - afterStream;
      });
      return cancelled > 0;
    });
    expect(cancelled).toBeGreaterThan(5);
    expect(cancelled).toBeLessThan(1_000);
  });
});

test("a day ends at midnight of the server's time, and the next one has its own budget", async () => {
  const store = new InMemoryStore(createInMemoryStorage());
  let now = new Date(2026, 10, 29, 23, 59, 30).getTime();
  const budgets = new KeyBudgets({ store, warn: () => {}, now: () => now });
  const principal = { keyName: "phone", requestsPerDay: 1 };
  await budgets.admit(principal);
  await expect(budgets.admit(principal)).rejects.toMatchObject({
    code: "budget_exceeded",
    retryAfterSeconds: 30,
  });
  await budgets.admit({ ...principal, keyName: "tablet" });
  now += 30_000;
  await budgets.admit(principal);
});
