import { describe, expect, test } from "vitest";
import type { Fault, Step } from "../../../simulator/index.js";
import { matchTexts } from "../../../src/upstreams/kimi-web/cut-answer.js";
import { Dialogue, sentTurns } from "../../conversations/dialogue.js";
import { ask, type TestedDialect, testedDialects } from "../../faults/dialects.js";
import {
  apiKey,
  chatBody,
  contentOf,
  type Gateway,
  type GatewayOptions,
  parseChunks,
  postChat,
  startGateway,
  waitUntil,
} from "../../gateway.js";

const cuts: Fault[] = [
  { kind: "cut", after: 3 },
  { kind: "cut-in-frame", after: 3 },
  { kind: "no-trailer", after: 3 },
  { kind: "stall", after: 3 },
  { kind: "cut", after: 0 },
  { kind: "error-late", after: 3, code: "unauthenticated" },
];

type AfterCut = NonNullable<NonNullable<GatewayOptions["simulator"]>["afterCut"]>;

function startWith(afterCut: AfterCut, options: GatewayOptions = {}): Promise<Gateway> {
  const timeouts = { idle: 300, progress: 300, cutAnswer: 400 };
  return startGateway({ timeouts, ...options, simulator: { afterCut, ...options.simulator } });
}

/** The numbers of requests for messages of a chat, and for an end of its answer. */
function countFetches({ simulator }: Gateway): { looks: number; cancels: number } {
  const looks = simulator.calls.filter(({ path }) => path.endsWith("/ListMessages")).length;
  return { looks, cancels: simulator.counts().cancels };
}

async function fetchedAnswers(gateway: Gateway): Promise<string[]> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const text = await (await fetch(`${gateway.url}/metrics`, { headers })).text();
  return text.split("\n").filter((line) => line.startsWith("moonbridge_fetched_answers_total{"));
}

async function readAnswer(gateway: Gateway, dialect: TestedDialect, text: string, stream: boolean) {
  const body = await (await ask(gateway, dialect, text, { stream })).text();
  if (stream) return dialect.parseStream(body);
  const { text: content, finish } = dialect.parseWhole(body);
  return { text: content, finishes: [finish] };
}

describe("the rest of an answer whose connection broke is fetched, and Kimi is asked once", () => {
  const ways = testedDialects.flatMap((dialect) => [true, false].map((stream) => ({ dialect, stream })));

  test.each(cuts)("%j", async (fault) => {
    const gateway = await startWith("goes-on");
    const wayOf = (index: number) => ways[index % ways.length];
    for (const way of [wayOf(JSON.stringify(fault).length), wayOf(JSON.stringify(fault).length + 3)]) {
      if (!way) continue;
      const prompt = "sim:think sim:repeat=9";
      const plain = await readAnswer(gateway, way.dialect, prompt, way.stream);
      const chats = gateway.simulator.counts().chats;
      gateway.simulator.fault(fault);
      expect(await readAnswer(gateway, way.dialect, prompt, way.stream)).toEqual(plain);
      expect(gateway.simulator.counts().chats - chats).toBe(1);
    }
    expect(countFetches(gateway)).toEqual({ looks: 2, cancels: 0 });
    expect(await fetchedAnswers(gateway)).toEqual(['moonbridge_fetched_answers_total{outcome="fetched"} 2']);
  });

  test("with its reasoning, its search and its citations", async () => {
    const sources = ["a", "b"].map((name) => ({
      title: `Page ${name}`,
      url: `https://example.org/${name}`,
      snippet: name,
    }));
    const mark = "\ue3a0cite\ue3a3web_search:1#1\ue3a8";
    const script = (): Step[] => [
      { do: "think", content: "To be found out." },
      { do: "search", queries: ["pages"], sources },
      { do: "think", content: "Found out." },
      { do: "text", content: ["Page b", mark, " says so", mark, ". The end."] },
    ];
    const gateway = await startWith("goes-on", { simulator: { script } });
    for (const stream of [true, false]) {
      const plain = await messageOf(await postChat(gateway, chatBody("find out", { stream })));
      for (const after of [0, 1, 2, 3, 4, 5, 7, 9, 11]) {
        gateway.simulator.fault({ kind: "cut", after });
        expect(await messageOf(await postChat(gateway, chatBody("find out", { stream })))).toEqual(plain);
      }
    }
    expect(await fetchedAnswers(gateway)).toEqual(['moonbridge_fetched_answers_total{outcome="fetched"} 18']);
    expect(gateway.drift.entries()).toEqual([]);
  });

  test("as soon as Kimi has completed it", async () => {
    const gateway = await startWith("goes-on", { timeouts: { idle: 300, progress: 300 } });
    gateway.simulator.fault({ kind: "cut", after: 2 });
    const body = chatBody("sim:slow=50 sim:repeat=9", { stream: true });
    const chunks = parseChunks(await (await postChat(gateway, body)).text());
    expect(contentOf(chunks)).toBe("1 2 3 4 5 6 7 8 9 ");
    expect(countFetches(gateway).looks).toBeGreaterThan(1);
  });

  test("with the length at which Kimi truncated it", async () => {
    const script = (): Step[] => [{ do: "text", content: ["a", "b", "c"] }, { do: "truncated" }];
    const gateway = await startWith("goes-on", { simulator: { script } });
    gateway.simulator.fault({ kind: "cut", after: 1 });
    const answer = await messageOf(await postChat(gateway, chatBody("write", { stream: true })));
    expect([answer.content, answer.finish]).toEqual(["abc", "length"]);
  });

  test("with a function call that was cut in half", async () => {
    const gateway = await startWith("goes-on", { toolMode: "emulate" });
    const parameters = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
    const tools = [{ type: "function", function: { name: "read_file", description: "Reads.", parameters } }];
    const body = chatBody('sim:call read_file {"path":"/tmp/a long name of a file.txt"}', { tools });
    gateway.simulator.fault({ kind: "cut", after: 4 });
    const { choices } = JSON.parse(await (await postChat(gateway, body)).text());
    expect(choices[0].finish_reason).toBe("tool_calls");
    expect(JSON.parse(choices[0].message.tool_calls[0].function.arguments)).toEqual({
      path: "/tmp/a long name of a file.txt",
    });
    expect(countFetches(gateway).looks).toBe(1);
    expect(gateway.simulator.counts().chats).toBe(1);
  });

  test("and the next turn continues its chat", async () => {
    const gateway = await startWith("goes-on");
    const dialogue = new Dialogue(gateway);
    gateway.simulator.fault({ kind: "cut", after: 2 });
    expect(await dialogue.send("sim:repeat=4")).toBe("1 2 3 4 ");
    await dialogue.send("and now?");
    expect(sentTurns(gateway).map(({ chatId }) => chatId !== undefined)).toEqual([false, true]);
  });

  test("with a new token if the old one has expired", async () => {
    const gateway = await startWith("goes-on");
    gateway.simulator.fault({ kind: "stall", after: 3 });
    const answer = postChat(gateway, chatBody("sim:repeat=9", { stream: true }));
    await waitUntil(() => gateway.simulator.counts().chats === 1);
    gateway.simulator.expireAccessTokens();
    expect(contentOf(parseChunks(await (await answer).text()))).toBe("1 2 3 4 5 6 7 8 9 ");
    expect(gateway.simulator.counts()).toMatchObject({ refreshes: 1, chats: 1 });
  });
});

describe("an answer whose rest cannot be had ends with the error of its connection", () => {
  test.each([
    ["stops", "failed"],
    ["lost", "unreadable"],
    ["differs", "different"],
    ["unreadable", "unfinished"],
    ["half", "unfinished"],
  ] as const)("Kimi's answer %s: %s", async (afterCut, outcome) => {
    const gateway = await startWith(afterCut);
    gateway.simulator.fault({ kind: "cut", after: 3 }, 2);
    const streamed = await postChat(gateway, chatBody("sim:repeat=9", { stream: true }));
    const chunks = parseChunks(await streamed.text());
    expect(contentOf(chunks.slice(0, -1))).toBe("1 2 3 ");
    expect(chunks.at(-1)?.error?.code).toBe("upstream_cut");
    const whole = await postChat(gateway, chatBody("sim:repeat=9"));
    expect([whole.status, JSON.parse(await whole.text()).error.code]).toEqual([502, "upstream_cut"]);
    expect(await fetchedAnswers(gateway)).toEqual([
      `moonbridge_fetched_answers_total{outcome="${outcome}"} 2`,
    ]);
    await waitUntil(() => countFetches(gateway).cancels === 2);
  });

  test("nothing is fetched for a client that has left, and Kimi is told to stop", async () => {
    const gateway = await startWith("half", { timeouts: { idle: 300, progress: 300 } });
    gateway.simulator.fault({ kind: "cut", after: 3 });
    const client = new AbortController();
    const body = chatBody("sim:slow=20 sim:repeat=500", { stream: true });
    const response = await postChat(gateway, body, { signal: client.signal });
    await waitUntil(() => countFetches(gateway).looks === 1);
    client.abort();
    await response.text().catch(() => {});
    await waitUntil(() => countFetches(gateway).cancels === 1);
    expect(countFetches(gateway).looks).toBe(1);
    expect(await fetchedAnswers(gateway)).toEqual([]);
  });
});

test("a message continues what was received only if it begins with exactly that", () => {
  const received = [
    { id: "3", channel: "think", text: "So." },
    { id: "4", channel: "text", text: "On" },
  ] as const;
  const think = { id: "9", think: { content: "So." } };
  const text = { id: "5", text: { content: "One" } };
  const stage = { id: "1", stage: {} };
  expect(matchTexts(received, [stage, think, text])).toEqual([
    stage,
    { ...think, id: "3" },
    { ...text, id: "4" },
  ]);
  const later = { id: "4", text: { content: "Two" } };
  expect(matchTexts(received, [think, text, later])?.at(-1)).toEqual({ ...later, id: "fetched-2" });
  for (const blocks of [
    [think],
    [text, think],
    [{ ...think, think: { content: "So. More." } }, text],
    [think, { ...text, text: { content: "on" } }],
    [think, { ...text, text: { content: "O" } }],
    [think, { id: "6", text: { content: "A block between." } }, text],
    [{ id: "9", text: { content: "So." } }, text],
  ])
    expect(matchTexts(received, blocks)).toBeUndefined();
  expect(matchTexts([], [text])).toEqual([text]);
});

/** What a chat completion says, streamed or not. */
async function messageOf(response: Response) {
  const body = await response.text();
  if (response.headers.get("content-type")?.startsWith("application/json")) {
    const { message, finish_reason: finish } = JSON.parse(body).choices[0];
    const { content, reasoning_content: reasoning, annotations } = message;
    return { content, reasoning, annotations, finish };
  }
  const chunks = parseChunks(body);
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => Object(delta)));
  return {
    content: contentOf(chunks),
    reasoning: deltas.map(({ reasoning_content: text = "" }) => text).join(""),
    annotations: deltas.flatMap(({ annotations = [] }) => annotations),
    finish: chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []).join(),
  };
}
