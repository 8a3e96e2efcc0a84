import { expect, test } from "vitest";
import type { Fault } from "../../simulator/faults.js";
import { sentTurns } from "../conversations/dialogue.js";
import { type Gateway, startGateway } from "../gateway.js";
import { buildLobeChat, callLobeChat, type Provider } from "./lobechat/run-lobechat.js";
import type { DriverLine } from "./run-driver.js";

const driver = buildLobeChat();
const sources = [
  { title: "A made-up page", url: "https://example.org/simulated" },
  { title: "Another made-up page", url: "https://example.com/simulated" },
];
const weather = {
  type: "function",
  function: {
    name: "weather____now",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

type Case = { name: string; provider: Provider; path: string };

const providers: Case[] = [
  { name: "openai, whose search uses responses", provider: "openai", path: "/v1/responses" },
  { name: "moonshot, whose search is $web_search", provider: "moonshot", path: "/v1/chat/completions" },
];

test.each(providers)("LobeChat shows text and tokens: $name", async ({ provider, path }) => {
  const { gateway, ask } = await setUp(provider);
  const lines = await ask("sim:say=Hello, 月亮 🌙!");
  expect(textOf(lines)).toBe("Hello, 月亮 🌙!");
  expect(dataOf(lines, "usage")).toMatchObject({
    totalInputTokens: expect.any(Number),
    outputTextTokens: expect.any(Number),
  });
  expectNoError(lines);
  expect(pathsOf(gateway)).toEqual([path]);
});

test.each(providers)("LobeChat shows reasoning in front of the text: $name", async ({ provider }) => {
  const { ask } = await setUp(provider);
  const lines = await ask("sim:say=Hello", { reasoning_effort: "high" });
  expect(joined(lines, "reasoning")).toContain("Let me think");
  expect(textOf(lines)).toBe("Hello");
  expectNoError(lines);
});

test.each(providers)("LobeChat shows the sources of a search: $name", async ({ provider }) => {
  const { ask } = await setUp(provider);
  const lines = await ask("search for the moon");
  expect(dataOf(lines, "grounding")).toEqual({ citations: sources });
  expect(textOf(lines)).toContain("The sources are made up");
  expectNoError(lines);
});

test.each(providers)("LobeChat calls a tool and shows what follows: $name", async ({ provider }) => {
  const { ask } = await setUp(provider);
  const question = { role: "user", content: 'Weather?\nsim:call weather____now {"city":"Oslo"}' };
  const lines = await ask(question.content, { tools: [weather] });
  const { id, name, args } = callOf(lines);
  expect([name, JSON.parse(args)]).toEqual(["weather____now", { city: "Oslo" }]);
  const call = { id, type: "function", function: { name, arguments: args } };
  const history = [
    question,
    { role: "assistant", content: "", tool_calls: [call] },
    { role: "tool", tool_call_id: id, name, content: "It rains in Oslo." },
  ];
  const answer = await ask(history, { tools: [weather] });
  expect(textOf(answer)).toContain("It rains in Oslo.");
  expectNoError(answer);
});

test.each(providers)("a second question of LobeChat stays in its chat: $name", async ({ provider }) => {
  const { gateway, ask } = await setUp(provider);
  const question = { role: "user", content: "Remember apples." };
  const answer = { role: "assistant", content: textOf(await ask([question])) };
  const lines = await ask([question, answer, { role: "user", content: "sim:recall" }]);
  expect(textOf(lines)).toContain("apples");
  expect(sentTurns(gateway).filter(({ chatId }) => chatId === undefined)).toHaveLength(1);
});

test("LobeChat's picture in a question with search reaches Kimi", async () => {
  const { gateway, ask } = await setUp("openai");
  const content = [
    { type: "text", text: "What is it?" },
    { type: "image_url", image_url: { url: `data:image/png;base64,${dot}`, detail: "auto" } },
  ];
  expectNoError(await ask([{ role: "user", content }]));
  expect(gateway.simulator.calls.filter(({ path }) => /upload|file/i.test(path)).length).toBeGreaterThan(0);
});

const failures: [code: string, fault: Fault][] = [
  ["insufficient_quota", { kind: "exception", reason: "REASON_K2_USAGE_EXCEEDED", after: 0 }],
  ["context_length_exceeded", { kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", after: 0 }],
  [
    "account_login_required",
    { kind: "error", code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" },
  ],
  ["rate_limit_exceeded", { kind: "http", status: 429, retryAfter: 1 }],
];

test.each(providers.flatMap((each) => failures.map(([code, fault]) => ({ ...each, code, fault }))))(
  "LobeChat gets the code and the sentence of a failure: $code: $name",
  async ({ provider, code, fault }) => {
    const { gateway, ask } = await setUp(provider);
    gateway.simulator.fault(fault, 100);
    const lines = await ask("Hello");
    expect(lines).toMatchObject([
      { type: "thrown", data: { error: { code, message: expect.stringMatching(/Kimi|history|long/) } } },
    ]);
  },
);

test.each(providers)(
  "LobeChat fails with the code of an unknown model and key: $name",
  async ({ provider }) => {
    const { ask } = await setUp(provider);
    expect(await ask("Hello", { model: "nope-1" })).toMatchObject([
      { type: "thrown", data: { error: { code: "model_not_found" } } },
    ]);
  },
);

test.each(providers)(
  "LobeChat fails with the text so far when an answer is cut: $name",
  async ({ provider }) => {
    const { ask } = await setUp(provider);
    const lines = await ask("sim:fault=cut,3 sim:repeat=20");
    expect(textOf(lines)).toBe("1 2 3 ");
    expect(lines.at(-1)).toMatchObject({
      type: "thrown",
      data: {
        error: {
          code: "upstream_cut",
          message: "The connection to Kimi broke before the answer was complete.",
        },
      },
    });
  },
);

test.each(providers)("LobeChat lists models that it takes for chat models: $name", async ({ provider }) => {
  const { gateway } = await setUp(provider);
  const [line] = await callLobeChat(driver, gateway, { provider, method: "models" });
  expect(line?.type).toBe("result");
  const cards: { id: string; functionCall: boolean }[] = Object(line?.data);
  expect(cards.find(({ id }) => id === "kimi")).toMatchObject({ id: "kimi" });
});

test("LobeChat's structured output of responses conforms to its schema", async () => {
  const { gateway } = await setUp("openai");
  const schema = {
    name: "topic",
    schema: {
      type: "object",
      properties: { title: { type: "string" } },
      required: ["title"],
      additionalProperties: false,
    },
  };
  const messages = [{ role: "user", content: "Name the topic." }];
  const payload = { model: "kimi", messages, schema, responseApi: true };
  const lines = await callLobeChat(driver, gateway, {
    provider: "openai",
    method: "generateObject",
    payload,
  });
  expect(lines).toEqual([{ type: "result", data: { title: expect.any(String) } }]);
  expect(pathsOf(gateway)).toEqual(["/v1/responses"]);
});

/** A PNG of one pixel. */
const dot =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

type Chat = {
  gateway: Gateway;
  /** Sends a question or a whole history with search on, as LobeChat's server does for its pages. */
  ask(question: string | object[], fields?: object): Promise<DriverLine[]>;
};

async function setUp(provider: Provider): Promise<Chat> {
  const gateway = await startGateway({ logLevel: "info" });
  const ask: Chat["ask"] = (question, fields = {}) => {
    const messages = typeof question === "string" ? [{ role: "user", content: question }] : question;
    const settings = { temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: 0 };
    const payload = {
      model: "kimi",
      stream: true,
      ...settings,
      enabledSearch: true,
      messages: [{ role: "system", content: "You help." }, ...messages],
      ...fields,
    };
    return callLobeChat(driver, gateway, { provider, method: "chat", payload });
  };
  return { gateway, ask };
}

function pathsOf(gateway: Gateway): unknown[] {
  return gateway
    .logEntries()
    .filter(({ msg }) => msg === "request")
    .map(({ route }) => route);
}

function joined(lines: readonly DriverLine[], type: string): string {
  return lines
    .flatMap((line) => (line.type === type && typeof line.data === "string" ? [line.data] : []))
    .join("");
}

function textOf(lines: readonly DriverLine[]): string {
  return joined(lines, "text");
}

function dataOf(lines: readonly DriverLine[], type: string): unknown {
  return lines.find((line) => line.type === type)?.data;
}

/** The one tool call of the lines, put together from its pieces as LobeChat's pages do. */
function callOf(lines: readonly DriverLine[]): { id: string; name: string; args: string } {
  const pieces: { id: string; function: { name: string | null; arguments: string } }[] = lines
    .filter(({ type }) => type === "tool_calls")
    .flatMap(({ data }) => Object(data));
  const [first] = pieces;
  return {
    id: first?.id ?? "",
    name: first?.function.name ?? "",
    args: pieces.map((piece) => piece.function.arguments).join(""),
  };
}

function expectNoError(lines: readonly DriverLine[]): void {
  expect(lines.filter(({ type }) => type === "error" || type === "thrown")).toEqual([]);
}
