import { describe, expect, test } from "vitest";
import { delta } from "../fixtures/moonshot.js";
import {
  apiKey,
  chatBody,
  contentOf,
  type Gateway,
  type KimiKind,
  parseChunks,
  postChat,
  startGateway,
} from "../gateway.js";
import { cutStream, gatewayTo, startPlatform } from "../upstreams/openai/scripted-platform.js";
import { ask, testedDialects } from "./dialects.js";

const streams = { visibleErrors: true };
const sentence = /\n\n\*\*Moonbridge:\*\* the answer is incomplete\. .*\.$/;
const keys = [
  { name: "shown", key: "sk-CANARY-shown", visibleErrors: true },
  { name: "hidden", key: "sk-CANARY-hidden", visibleErrors: false },
];

/** The chunks of a stream that breaks off in the middle. */
async function cutAnswer(gateway: Gateway, key = apiKey) {
  gateway.simulator.fault({ kind: "cut", after: 3 });
  const headers = { authorization: `Bearer ${key}` };
  const response = await postChat(gateway, chatBody("sim:repeat=20", { stream: true }), { headers });
  expect(response.status).toBe(200);
  return parseChunks(await response.text());
}

describe.each<KimiKind>(["kimi-web", "kimi-legacy"])("a stream of %s that breaks off", (kind) => {
  test("ends with a sentence in the text, then the error event, and no finish", async () => {
    const chunks = await cutAnswer(await startGateway({ kind, streams }));
    expect(contentOf(chunks.slice(0, -1))).toMatch(sentence);
    expect(chunks.at(-2)?.choices).toEqual([
      { index: 0, delta: { content: expect.stringMatching(sentence) }, logprobs: null, finish_reason: null },
    ]);
    expect(chunks.at(-2)).toMatchObject({ id: chunks[0]?.id, model: chunks[0]?.model });
    expect(chunks.at(-1)).toMatchObject({ error: { code: "upstream_cut" } });
    expect(chunks.some((chunk) => chunk.choices?.[0]?.finish_reason)).toBe(false);
  });

  test("has no such sentence by default", async () => {
    const chunks = await cutAnswer(await startGateway({ kind }));
    expect(contentOf(chunks.slice(0, -1))).not.toMatch(/Moonbridge|incomplete/);
    expect(chunks.at(-1)).toMatchObject({ error: { code: "upstream_cut" } });
  });
});

test.each(testedDialects)("over $name the sentence comes before the error", async (dialect) => {
  const gateway = await startGateway({ streams });
  gateway.simulator.fault({ kind: "cut", after: 3 });
  const body = await (await ask(gateway, dialect, "sim:repeat=20", { stream: true })).text();
  const { text, finishes, error } = dialect.parseStream(body);
  expect(text).toMatch(sentence);
  expect(error).toEqual((dialect.streamError ?? dialect.error)("upstream_cut"));
  expect(finishes).toEqual([]);
});

test("the setting of a key takes precedence over the config", async () => {
  const on = await startGateway({ streams, keys });
  expect(contentOf((await cutAnswer(on, "sk-CANARY-hidden")).slice(0, -1))).not.toMatch(sentence);
  const off = await startGateway({ keys });
  expect(contentOf((await cutAnswer(off, "sk-CANARY-shown")).slice(0, -1))).toMatch(sentence);
});

test("a relayed stream of an OpenAI-compatible service gets the sentence as a chunk like its own", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, { preset: "generic" }, { streams });
  platform.respondWith(cutStream(delta({ role: "assistant", content: "" }), delta({ content: "Half" })));
  const response = await postChat(gateway, { ...chatBody("hi", { stream: true }), model: "kimi-k2.6" });
  const chunks = parseChunks(await response.text());
  expect(contentOf(chunks.slice(0, -1))).toMatch(/^Half\n\n\*\*Moonbridge:/);
  expect(chunks.at(-2)).toMatchObject({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    model: "kimi-k2.6",
  });
  expect(chunks.at(-1)).toMatchObject({ error: { code: "upstream_cut" } });
});

test("a failure before the first content keeps its status and has no sentence", async () => {
  const gateway = await startGateway({ streams });
  gateway.simulator.fault({ kind: "cut", after: 0 });
  const response = await postChat(gateway, chatBody("hello", { stream: true }));
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({ error: { code: "upstream_cut" } });
});

test("the next turn continues before the answer that broke off", async () => {
  const gateway = await startGateway({ streams });
  const cut = contentOf((await cutAnswer(gateway)).slice(0, -1));
  const messages = [
    { role: "user", content: "sim:repeat=20" },
    { role: "assistant", content: cut },
    { role: "user", content: "Go on" },
  ];
  expect((await postChat(gateway, { model: "kimi", messages })).status).toBe(200);
  expect(gateway.simulator.counts().chats).toBe(2);
});

test.each([
  ["openai-chat", { response_format: { type: "json_object" } }],
  ["openai-responses", { text: { format: { type: "json_object" } } }],
  ["ollama", { format: "json" }],
])("over %s a stream of JSON that breaks off has no sentence behind the JSON", async (name, format) => {
  const content = Array.from({ length: 40 }, (_, index) => `${index === 0 ? "{" : ","}"key${index}":1`);
  const script = () => [{ do: "text" as const, content }];
  const gateway = await startGateway({ streams, simulator: { script } });
  gateway.simulator.fault({ kind: "cut", after: 12 });
  const dialect = testedDialects.find((each) => each.name === name);
  if (!dialect) throw new Error(`no dialect ${name}`);
  const body = JSON.stringify({ ...dialect.body("hi", true), ...format });
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const response = await fetch(`${gateway.url}${dialect.path}`, { method: "POST", headers, body });
  const { text, error } = dialect.parseStream(await response.text());
  expect(text).toMatch(/^\{"key0":1,.*\d$/);
  expect(error).toEqual((dialect.streamError ?? dialect.error)("upstream_cut"));
});
