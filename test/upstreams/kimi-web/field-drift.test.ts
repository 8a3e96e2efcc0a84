import { expect, test } from "vitest";
import type { Step } from "../../../simulator/index.js";
import { ProtocolDrift } from "../../../src/observability/protocol-drift.js";
import { EnvelopeDecoder } from "../../../src/upstreams/kimi-web/envelope.js";
import { ChatInterpreter } from "../../../src/upstreams/kimi-web/events.js";
import { readText } from "../../docs/files.js";
import { jsonEnvelope } from "../../fixtures/kimi-web.js";
import { chatBody, type Gateway, postChat, startGateway } from "../../gateway.js";

/** The names in a list of kimi-web.md §2.5 that follows these words. */
function namesInProtocol(words: string): string[] {
  const [, rest = ""] = readText("docs/protocol/kimi-web.md").split(words);
  return (/^[^.;]*/.exec(rest)?.[0] ?? "").match(/\w+/g) ?? [];
}

const blockKinds = namesInProtocol("Block oneof, proto order: ");
const toolContents = namesInProtocol("each `contents[]` item is one of `");

/** What a block of each kind says, where that is not in a field `content`. */
const samples: Record<string, (word: string) => object> = {
  search: (word) => ({ keywords: [word], webPages: [{ title: word, url: "https://example.org/" }] }),
  exception: (message) => ({ error: { reason: "REASON_REQUEST_ERROR", localizedMessage: { message } } }),
  error: (message) => ({ reason: "REASON_REQUEST_ERROR", localizedMessage: { message } }),
  tool: (question) => ({ name: "ask_user", args: JSON.stringify({ questions: [{ question }] }) }),
  artifact: (title) => ({ title }),
  aippt: (title) => ({ title }),
  slidesView: (name) => ({ name }),
  resourceLink: (title) => ({ title, uri: "https://example.org/" }),
  stage: () => ({ name: "STAGE_NAME_THINKING", status: "STAGE_STATUS_START" }),
  multiStage: () => ({ stages: [{ name: "STAGE_NAME_THINKING", status: "STAGE_STATUS_END" }] }),
};

const contentSamples: Record<string, (word: string) => object> = {
  searchResult: (title) => ({
    id: "1",
    refIndex: "web_search:1#0",
    base: { title, url: "https://example.org/" },
  }),
  image: (caption) => ({ caption, url: "https://example.org/" }),
  resourceLink: (title) => ({ title, uri: "https://example.org/" }),
  slides: (name) => ({ name }),
};

/** Where the word of a frame is found: in the answer or its error, in the protocol drift by this name, or nowhere. */
async function findWord(gateway: Gateway, prompt: string, word: string, name: string): Promise<string> {
  const answer = await (await postChat(gateway, chatBody(prompt))).text();
  if (answer.includes(word)) return "answer";
  return gateway.drift.entries().some((entry) => entry.name.split(".").at(-1) === name) ? "drift" : "nowhere";
}

/** Starts a gateway whose simulator answers with the raw frame that the prompt names. */
function startWithFrames(blocks: Record<string, object>): Promise<Gateway> {
  const script = ({ text }: { text: string }): Step[] | undefined =>
    blocks[text] && [
      { do: "text", content: "So. " },
      { do: "raw", frame: { op: "set", mask: "block", block: { id: "77", parentId: "", ...blocks[text] } } },
    ];
  return startGateway({ simulator: { script } });
}

const wordOf = (kind: string) => `said in ${kind}`;

test("of each kind of block, what it says is in the answer or is counted as protocol drift", async () => {
  expect(blockKinds.length).toBeGreaterThan(30);
  const frames = blockKinds.map((kind) => {
    const sample = samples[kind] ?? ((content: string) => ({ content }));
    return [kind, { [kind]: sample(wordOf(kind)) }] as const;
  });
  const gateway = await startWithFrames(Object.fromEntries(frames));
  const found: Record<string, string[]> = { answer: [], drift: [], nowhere: [] };
  for (const kind of blockKinds) found[await findWord(gateway, kind, wordOf(kind), kind)]?.push(kind);
  expect(found.nowhere).toEqual(["memory", "stage", "multiStage"]);
  const shown = ["text", "search", "think", "exception", "tool", "artifact", "slidesView", "aippt"];
  expect(found.answer).toEqual([...shown, "resourceLink", "error"]);
});

test("of each kind of a tool's contents, what it says is in the answer, counted, or for the model alone", async () => {
  expect(toolContents).toContain("searchResult");
  const frames = toolContents.map((kind) => {
    const sample = contentSamples[kind] ?? ((content: string) => ({ content }));
    const tool = { name: "some_tool", toolCallId: "some_tool:1", status: "STATUS_DONE" };
    return [kind, { tool: { ...tool, contents: [{ [kind]: sample(wordOf(kind)) }] } }] as const;
  });
  const gateway = await startWithFrames(Object.fromEntries(frames));
  const found: Record<string, string[]> = { answer: [], drift: [], nowhere: [] };
  for (const kind of toolContents) found[await findWord(gateway, kind, wordOf(kind), kind)]?.push(kind);
  expect(found).toEqual({
    answer: ["image", "resourceLink", "searchResult", "slides"],
    drift: ["memory", "goods"],
    nowhere: ["text", "mutableText", "webOpenUrl"],
  });
});

/** An event of every container, with every kind of block that is known, and an unknown field `aura` in each object. */
const aura = { aura: 1 };
const base = { title: "t", url: "https://example.org/", ...aura };
const chunk = { id: "1", refIndex: "web_search:1#0", base, ...aura };
const auraEvents: [event: Record<string, unknown>, drift: string[]][] = [
  [{ op: "set", chat: { id: "c", lastRequest: { options: aura } }, ...aura }, ["container aura"]],
  [{ op: "set", chat: { id: "c", ...aura } }, ["field chat.aura"]],
  [{ op: "set", message: { id: "m", role: "assistant", ...aura } }, ["field message.aura"]],
  [{ op: "set", message: { id: "m", role: "narrator" } }, ["role narrator"]],
  [
    { op: "append", message: { id: "m", refs: { searchChunks: [chunk], urls: ["https://example.org/"] } } },
    [
      "field message.refs.searchChunks.aura",
      "field message.refs.searchChunks.base.aura",
      "field message.refs.urls",
    ],
  ],
  [{ op: "append", message: { id: "m", refs: { images: [aura] } } }, ["field message.refs.images.aura"]],
  [{ op: "set", block: { id: "1", text: { content: "Hi", ...aura } } }, ["field block.text.aura"]],
  [{ op: "set", block: { id: "2", think: { content: "Hm", ...aura } } }, ["field block.think.aura"]],
  [
    {
      op: "set",
      block: { id: "3", tool: { name: "x", contents: [{ searchResult: chunk, ...aura }], ...aura } },
    },
    [
      "field block.tool.contents.searchResult.base.aura",
      "field block.tool.contents.searchResult.aura",
      "field block.tool.contents.aura",
      "field block.tool.aura",
    ],
  ],
  [{ op: "set", block: { id: "4", artifact: { title: "t", ...aura } } }, ["field block.artifact.aura"]],
  [{ op: "set", block: { id: "5", multiStage: { stages: [aura] } } }, ["field block.multiStage.stages.aura"]],
  [{ op: "set", block: { id: "6", ...aura } }, ["block aura"]],
  [{ op: "set", notification: { type: "TYPE_MODEL_DEGRADE", ...aura } }, ["field notification.aura"]],
  [{ heartbeat: aura }, ["field heartbeat.aura"]],
  [{ done: aura }, ["field done.aura"]],
  [{ op: "set" }, ["container none"]],
];

test.each(auraEvents)("each field that is not used is counted: %j", (event, expected) => {
  const drift = new ProtocolDrift();
  const interpreter = new ChatInterpreter(drift, { stream: true });
  const decoder = new EnvelopeDecoder(1_000_000);
  decoder.push(jsonEnvelope(event));
  const envelope = decoder.next();
  if (envelope) interpreter.interpret(envelope, []);
  const counted = drift.entries().map(({ kind, name }) => `${kind} ${name}`);
  expect(counted.sort()).toEqual(expected.toSorted());
});
