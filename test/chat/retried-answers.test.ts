import { expect, test } from "vitest";
import { ask, type TestedDialect, testedDialects } from "../faults/dialects.js";
import { type Gateway, startGateway, waitUntil } from "../gateway.js";

const dialects = testedDialects.filter(({ name }) => ["openai-chat", "anthropic-messages"].includes(name));
const prompt = "sim:slow=20 sim:repeat=30";
const numbers = Array.from({ length: 30 }, (_, index) => `${index + 1} `).join("");

/** Sends the prompt with an idempotency key. */
function send(
  gateway: Gateway,
  dialect: TestedDialect,
  { key = "once", text = prompt, stream = true, signal }: Partial<SendOptions> = {},
): Promise<Response> {
  const headers = { ...dialect.headers, "idempotency-key": key };
  return ask(gateway, { ...dialect, headers }, text, { stream, ...(signal ? { signal } : {}) });
}

type SendOptions = { key: string; text: string; stream: boolean; signal: AbortSignal };

const readText = async (dialect: TestedDialect, response: Promise<Response>, stream: boolean) => {
  const body = await (await response).text();
  return stream ? dialect.parseStream(body) : dialect.parseWhole(body);
};

/** Resolves when Kimi has the request that the client abandons then. */
async function abandon(gateway: Gateway, dialect: TestedDialect, stream: boolean): Promise<void> {
  const client = new AbortController();
  const { chats } = gateway.simulator.counts();
  const answer = send(gateway, dialect, { stream, signal: client.signal }).then((response) =>
    response.text(),
  );
  answer.catch(() => {});
  await waitUntil(() => gateway.simulator.counts().chats > chats);
  client.abort();
  await answer.catch(() => {});
}

test.each(dialects)(
  "a retry with the same idempotency key gets the answer that its first attempt began: $name",
  async (dialect) => {
    const gateway = await startGateway();
    for (const stream of [true, false]) {
      await abandon(gateway, dialect, stream);
      const { text } = await readText(dialect, send(gateway, dialect, { stream }), stream);
      expect(text).toBe(numbers);
    }
    expect(gateway.simulator.counts()).toMatchObject({ chats: 2, cancels: 0 });
  },
);

test.each(dialects)(
  "a retry takes the answer over from an attempt that is still open: $name",
  async (dialect) => {
    const gateway = await startGateway();
    const first = send(gateway, dialect);
    await (await first).clone().body?.getReader().read();
    const second = await readText(dialect, send(gateway, dialect), true);
    expect(second).toEqual({ text: numbers, finishes: ["stop"] });
    const superseded = await readText(dialect, first, true);
    expect(superseded).toMatchObject({ finishes: [], error: expect.anything() });
    expect(gateway.simulator.counts().chats).toBe(1);
  },
);

test("another key or another body is another request, and so is the same one after the end of its answer", async () => {
  const gateway = await startGateway();
  const [dialect] = dialects;
  if (!dialect) throw new Error("no dialect");
  const answers = await Promise.all([
    readText(dialect, send(gateway, dialect), true),
    readText(dialect, send(gateway, dialect, { key: "twice" }), true),
    readText(dialect, send(gateway, dialect, { text: `${prompt} ` }), true),
  ]);
  expect(answers.map(({ text }) => text)).toEqual([numbers, numbers, numbers]);
  expect((await readText(dialect, send(gateway, dialect), true)).text).toBe(numbers);
  expect(gateway.simulator.counts().chats).toBe(4);
});

test("an abandoned request that does not come again stops Kimi, and asks anew later", async () => {
  const gateway = await startGateway();
  const [dialect] = dialects;
  if (!dialect) throw new Error("no dialect");
  const client = new AbortController();
  const text = "sim:slow=20 sim:repeat=5000";
  send(gateway, dialect, { text, signal: client.signal }).catch(() => {});
  await waitUntil(() => gateway.simulator.counts().openStreams === 1);
  client.abort();
  await waitUntil(() => gateway.simulator.counts().openStreams === 0);
  expect((await readText(dialect, send(gateway, dialect), true)).text).toBe(numbers);
});
