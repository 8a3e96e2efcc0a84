import fc from "fast-check";
import { expect, test } from "vitest";
import type { Step } from "../../simulator/index.js";
import { type Gateway, type GatewayOptions, startGateway } from "../gateway.js";
import { chatRequest, encodeFrame, postChat } from "../simulator/client.js";
import { ask, type TestedDialect, testedDialects } from "./dialects.js";

type AfterCut = NonNullable<NonNullable<GatewayOptions["simulator"]>["afterCut"]>;

/** How often a connection is cut, by what becomes of Kimi's answer then. */
const cutCounts: [afterCut: AfterCut, count: number][] = [
  ["goes-on", 350],
  ["stops", 30],
  ["lost", 30],
  ["differs", 30],
  ["unreadable", 30],
  ["half", 30],
];

const sources = ["one", "two", "three"].map((name) => ({
  title: `Page ${name}`,
  url: `https://example.org/${name}`,
  snippet: `What is in ${name}`,
}));
const mark = (index: number) => `\ue3a0cite\ue3a3web_search:1#${index}\ue3a8`;

/** Has what may be cut: reasoning, a search, citation marks, several blocks, escapes, characters of two and more units. */
const answer: Step[] = [
  { do: "think", content: 'First "think" about 中文, then search. ' },
  { do: "search", queries: ["pages", "网页"], sources },
  { do: "think", content: "The pages say it, 👩‍👩‍👧‍👦 and all." },
  {
    do: "text",
    content: ["Page two", mark(1), " says ", "𠮷", " and\n\n```ts\n", 'const a = "b\\n";\n```\n'],
  },
  { do: "text", content: "A list of numbers: 1 2 3 4 5 6 7 8 9 10, [^1^] and [not a mark]. " },
  {
    do: "text",
    content: ["Two at once", mark(0), mark(2), ". ", "👍🏽".slice(0, 2), "👍🏽".slice(2), " The end."],
  },
];

const dialects = testedDialects.filter(({ name }) => name !== "ollama");

type Cut = { offset: number; dialect: TestedDialect; stream: boolean };
type Answer = { text: string; reasoning: string; finishes: string[]; isError: boolean };

test("500 connections cut at random bytes, over three dialects: the whole answer or an honest error", {
  timeout: 540_000,
}, async () => {
  const shares: Record<string, { cuts: number; fetchable: number; whole: number; errors: number }> = {};
  for (const [afterCut, count] of cutCounts) {
    const gateway = await startGateway({
      timeouts: { idle: 2_000, progress: 2_000, cutAnswer: 300 },
      simulator: { afterCut, script: () => answer },
    });
    const share = { cuts: count, fetchable: 0, whole: 0, errors: 0 };
    const bytes = await responseBytes(gateway);
    // Before that, Kimi has not named the message that would have to be fetched.
    const named = bytes.indexOf('"heartbeat"', bytes.indexOf("MESSAGE_STATUS_GENERATING"));
    // Other words can be told from those of the answer once one of these has come.
    const min = afterCut === "differs" ? bytes.indexOf("First") + 200 : 1;
    const cut = fc.record({
      offset: fc.integer({ min, max: bytes.length }),
      dialect: fc.constantFrom(...dialects),
      stream: fc.boolean(),
    });
    for (const each of fc.sample(cut, count)) {
      const uncut = await readAnswer(gateway, each);
      expect(uncut).toMatchObject({ finishes: ["stop"], isError: false });
      gateway.simulator.fault({ kind: "cut-bytes", bytes: each.offset });
      const got = await readAnswer(gateway, each);
      if (each.offset > named) share.fetchable++;
      if (got.isError) share.errors++;
      else share.whole++;
      expect(got, `${afterCut}, byte ${each.offset}, ${each.dialect.name}`).toEqual(
        got.isError ? { ...got, ...beginningOf(uncut, got), finishes: [] } : uncut,
      );
    }
    shares[afterCut] = share;
    await gateway.stop();
  }
  console.table(shares);
  const { fetchable = 0, whole } = shares["goes-on"] ?? {};
  expect(whole).toBe(fetchable);
  expect(fetchable).toBeGreaterThan(200);
  expect(shares.differs?.whole).toBeLessThan(10);
});

/** Texts of the same length from the beginning of the uncut answer. */
function beginningOf(uncut: Answer, { text, reasoning }: Answer): Pick<Answer, "text" | "reasoning"> {
  return { text: uncut.text.slice(0, text.length), reasoning: uncut.reasoning.slice(0, reasoning.length) };
}

/** Kimi's response. */
async function responseBytes({ simulator }: Gateway): Promise<Buffer> {
  const request = encodeFrame(JSON.stringify(chatRequest("tell me")));
  return (await postChat(simulator, request, simulator.issue().accessToken)).bytes;
}

async function readAnswer(gateway: Gateway, { dialect, stream }: Cut): Promise<Answer> {
  const response = await ask(gateway, dialect, "tell me", { stream });
  const body = await response.text();
  if (!response.ok) return { text: "", reasoning: "", finishes: [], isError: true };
  if (!stream) {
    const { text, finish } = dialect.parseWhole(body);
    return { text, reasoning: wholeReasoning(JSON.parse(body)), finishes: [finish], isError: false };
  }
  const { text, finishes, error } = dialect.parseStream(body);
  return { text, reasoning: streamedReasoning(body), finishes, isError: error !== undefined };
}

/** biome-ignore lint/suspicious/noExplicitAny: the three dialects have three forms */
function wholeReasoning({ choices, content = [], output = [] }: any): string {
  if (choices) return choices[0].message.reasoning_content ?? "";
  const summaries = output.flatMap(({ summary = [] }) => summary).map(({ text }: { text: string }) => text);
  return [...content.map(({ thinking = "" }) => thinking), ...summaries].join("");
}

function streamedReasoning(body: string): string {
  const data = body
    .split("\n")
    .flatMap((line) => (line.startsWith("data: {") ? JSON.parse(line.slice(6)) : []));
  return data
    .map(({ type = "", delta, choices = [] }) => {
      if (type.startsWith("response.reasoning") && type.endsWith(".delta")) return delta;
      return delta?.thinking ?? choices[0]?.delta?.reasoning_content ?? "";
    })
    .join("");
}
