import { expect, test } from "vitest";
import { apiKey, asking, type Gateway, post, startGateway, until } from "../gateway.js";

const other = "sk-CANARY-other";
const keys = [{ name: "other", key: other }];

/** The prompts that reached Kimi, in their order. */
function heard({ simulator }: Gateway): string[] {
  return simulator.calls
    .filter(({ path }) => path.endsWith("ChatService/Chat"))
    .map(({ body }) => JSON.parse(JSON.stringify(body)).message.blocks[0].text.content);
}

function ask(gateway: Gateway, content: string, key = apiKey, signal?: AbortSignal): Promise<Response> {
  return post(gateway, asking(content), {
    headers: { authorization: `Bearer ${key}` },
    ...(signal ? { signal } : {}),
  });
}

const waiting = (gateway: Gateway) =>
  gateway.log().filter(({ msg }) => msg === "a request waits for its turn");

test("one key asks fifty times, another once: it is answered second or third", async () => {
  const gateway = await startGateway({ concurrency: 1, keys });
  // The first answer lasts until all the others wait.
  const many = [ask(gateway, "sim:slow=20 sim:repeat=150")];
  await until(() => heard(gateway).length === 1);
  for (let n = 1; n < 50; n++) many.push(ask(gateway, `A${n}`));
  await until(() => waiting(gateway).length === 49);
  const one = ask(gateway, "B", other);
  for (const response of await Promise.all([...many, one])) expect(response.status).toBe(200);
  const place = heard(gateway).indexOf("B");
  expect(place).toBeGreaterThanOrEqual(1);
  expect(place).toBeLessThanOrEqual(2);
  expect(waiting(gateway).at(-1)).toMatchObject({ upstream: "me", position: expect.any(Number) });
});

test("more than may wait get a 429 that says when to come back; the others are answered", async () => {
  const gateway = await startGateway({ concurrency: 1, queue: { depth: 2 } });
  const served = [ask(gateway, "sim:slow=20 sim:repeat=20")];
  await until(() => heard(gateway).length === 1);
  served.push(ask(gateway, "second"), ask(gateway, "third"));
  await until(() => waiting(gateway).length === 2);
  const refused = await ask(gateway, "fourth");
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    error: { code: "account_busy", type: "rate_limit_exceeded" },
  });
  for (const response of await Promise.all(served)) expect(response.status).toBe(200);
  expect(heard(gateway).some((prompt) => prompt.includes("fourth"))).toBe(false);
});

test("a client that leaves the queue is never asked of Kimi, and one that leaves its answer frees the slot", async () => {
  const gateway = await startGateway({ concurrency: 1 });
  const [speaker, waiter] = [new AbortController(), new AbortController()];
  const first = ask(gateway, "sim:slow=50 sim:repeat=10000", apiKey, speaker.signal);
  first.catch(() => {});
  await until(() => heard(gateway).length === 1);
  const second = ask(gateway, "left before its turn", apiKey, waiter.signal);
  second.catch(() => {});
  await until(() => waiting(gateway).length === 1);
  const third = ask(gateway, "stayed");
  await until(() => waiting(gateway).length === 2);
  waiter.abort();
  speaker.abort();
  expect((await third).status).toBe(200);
  expect(heard(gateway).slice(1)).toEqual(["stayed"]);
});

test("Kimi says “not now” once: the next one waits for as long as it said, and is then answered", async () => {
  const gateway = await startGateway();
  gateway.simulator.fault({ kind: "http", status: 429, retryAfter: 1 });
  expect((await ask(gateway, "first")).status).toBe(429);
  expect((await ask(gateway, "second")).status).toBe(200);
  const [first, second] = gateway.simulator.calls.filter(({ path }) => path.endsWith("ChatService/Chat"));
  // Timers may be a millisecond early.
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(990);
});

test("a quota that is used up is told each time; another model may still have some", async () => {
  const gateway = await startGateway();
  gateway.simulator.fault({ kind: "error", code: "resource_exhausted", paywall: true }, 2);
  for (const status of [429, 429, 200]) expect((await ask(gateway, "question")).status).toBe(status);
});

test("four at once on a legacy account, which gives one answer at a time: one after the other, none fails", async () => {
  const gateway = await startGateway({ kind: "kimi-legacy" });
  const words = ["one", "two", "three", "four"];
  const answers = await Promise.all(words.map((word) => ask(gateway, `sim:slow=2 sim:say=${word}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const said = await Promise.all(
    answers.map(async (answer) => JSON.parse(await answer.text()).choices[0].message.content),
  );
  expect(said).toEqual(words);
  const streams = gateway.simulator.calls.filter(({ path }) => path.endsWith("/completion/stream"));
  expect(streams.length).toBe(4);
});
