import { expect, onTestFinished, test } from "vitest";
import { apiKey, type Gateway, startGateway } from "../../gateway.js";
import { adminJson, requestAdmin } from "./administrator.js";

const prompt = "CANARY-prompt sim:say=CANARY-answer";
const message = { role: "user", content: prompt };
const bodies: Record<string, object> = {
  "/v1/chat/completions": { model: "kimi", messages: [message] },
  "/v1/responses": { model: "kimi", input: prompt },
  "/v1/messages": { model: "kimi", max_tokens: 100, messages: [message] },
  "/api/chat": { model: "kimi", messages: [message] },
};

async function ask(gateway: Gateway, path: string, fields: object = {}): Promise<void> {
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ ...bodies[path], ...fields }),
  });
  expect(await response.text()).toContain("CANARY");
}

/** The newest request, as the list has it, once so many are there. */
async function newest(gateway: Gateway, count = 1): Promise<Record<string, unknown>> {
  const list = async () => Object((await adminJson(gateway, "GET", "/requests")).data);
  await expect.poll(async () => (await list()).length).toBe(count);
  return (await list())[0];
}

const detail = async (gateway: Gateway, id: unknown) =>
  (await adminJson(gateway, "GET", `/requests/${id}`)).texts;

test("a request has no texts by default", async () => {
  const gateway = await startGateway();
  await ask(gateway, "/v1/chat/completions");
  expect(await detail(gateway, (await newest(gateway)).id)).toBeNull();
});

test("with journal.texts a request has its prompt and its answer in each dialect, streamed and whole", async () => {
  const gateway = await startGateway({ journal: { texts: true } });
  let count = 0;
  for (const path of Object.keys(bodies))
    for (const stream of [true, false]) {
      await ask(gateway, path, { stream });
      const { id } = await newest(gateway, ++count);
      expect([path, stream, await detail(gateway, id)]).toEqual([
        path,
        stream,
        {
          ...{ prompt, prompt_length: prompt.length, earlier_messages: 0 },
          ...{ answer: "CANARY-answer", answer_length: "CANARY-answer".length },
        },
      ]);
    }
});

test("a failed request with journal.texts has what was said until then", async () => {
  const gateway = await startGateway({ journal: { texts: true } });
  gateway.simulator.fault({ kind: "http", status: 500 });
  await gateway.client.chat.completions
    .create({ model: "kimi", messages: [{ role: "user", content: "CANARY" }] })
    .catch(() => {});
  const { id, outcome } = await newest(gateway);
  expect([outcome, await detail(gateway, id)]).toMatchObject(["failed", { prompt: "CANARY", answer: "" }]);
});

test("with journal.texts no list, event, metric, log and support bundle has a prompt or an answer", async () => {
  const gateway = await startGateway({ journal: { texts: true } });
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const headers = { authorization: `Bearer ${apiKey}` };
  const stream = await fetch(`${gateway.url}/v1/admin/events`, { headers, signal: abort.signal });
  let events = "";
  const read = async () => {
    for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) events += chunk;
  };
  read().catch(() => {});
  await ask(gateway, "/v1/chat/completions", { stream: true });
  const { id } = await newest(gateway);
  await expect.poll(() => events).toContain("request.ended");
  const others = [
    "/requests",
    "/support-bundle",
    "/log",
    "/server",
    "/usage",
    "/usage.csv",
    "/conversations",
  ];
  const answers = others.map(async (path) => (await requestAdmin(gateway, "GET", path)).text());
  const metrics = await (await fetch(`${gateway.url}/metrics`, { headers })).text();
  const logged = JSON.stringify(gateway.logEntries());
  const texts = [events, metrics, logged, ...(await Promise.all(answers))];
  expect(texts.filter((text) => text.includes(String(id))).length).toBeGreaterThan(3);
  for (const text of texts) expect(text).not.toContain("CANARY");
});

test("switching journal.texts off removes the texts, also those of a request that is running", async () => {
  const gateway = await startGateway({ journal: { texts: true } });
  await ask(gateway, "/v1/chat/completions");
  const { id } = await newest(gateway);
  expect(await detail(gateway, id)).not.toBeNull();
  const slow = ask(gateway, "/v1/chat/completions", {
    messages: [{ role: "user", content: "sim:slow=50 sim:say=CANARY sim:repeat=10" }],
  });
  await expect.poll(() => gateway.simulator.counts().chats).toBe(2);
  await gateway.replaceConfig({ journal: { ...gateway.config.journal, texts: false } });
  await slow;
  const second = await newest(gateway, 2);
  expect([await detail(gateway, id), await detail(gateway, second.id)]).toEqual([null, null]);
});
