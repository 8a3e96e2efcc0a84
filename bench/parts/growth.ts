import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ConversationNode } from "../../src/core/store.js";
import { hash } from "../../src/lib/hash.js";
import { SqliteStore } from "../../src/store/sqlite/store.js";
import { formatAnswerSpec } from "../answers/answer-spec.js";
import { answerText } from "../answers/answer-text.js";
import { type GatewayProcess, gatewayTarget, startGateway } from "../candidates/moonbridge.js";
import type { BenchEnvironment } from "../environment.js";
import type { Target } from "../load/load-profile.js";
import { type Measurement, measureLoad } from "../measurement.js";
import { formatNumber } from "../report/table.js";
import type { Settings } from "../settings.js";
import type { Part, PartResult } from "./part.js";

const [streams, deltas] = [4, 8];

/** The fewest nodes of a store: half of them are enough for each stream to find a chat that is not answering. */
const minimumNodes = 10;

/** The number of nodes that are saved in one transaction. */
const batchSize = 2_000;

/** A measurement of turns of which each continues a conversation, and how many did so in a stored chat. */
type TurnMeasurement = Measurement & { continuedShare: number };

/**
 * The cost of a turn as the number of conversation nodes in the store grows to a million. Half of the nodes have the
 * question and the answer after which the measured turns continue.
 */
export const nodeGrowth: Part = async (environment, settings) => {
  const workDirectory = environment.createWorkDirectory("growth");
  const measurements: [string, TurnMeasurement][] = [];
  const body = await prepareConversation(environment, workDirectory, 1);
  let storedNodes = 0;
  for (const nodes of settings.storedNodes.map((count) => Math.max(count, minimumNodes))) {
    await fillStore(workDirectory, storedNodes, nodes);
    storedNodes = nodes;
    measurements.push([formatNumber(nodes), await measureTurns(environment, settings, workDirectory, body)]);
    process.stderr.write(".");
  }
  return growthResult(
    "Growth: conversation nodes in the store, half of them with the same question and answer",
    "nodes",
    measurements,
  );
};

/** The cost of a turn as its conversation grows to a hundred turns. */
export const turnGrowth: Part = async (environment, settings) => {
  const measurements: [string, TurnMeasurement][] = [];
  for (const turns of settings.quick ? [1, 100] : [1, 10, 30, 100]) {
    const workDirectory = environment.createWorkDirectory("growth");
    const body = await prepareConversation(environment, workDirectory, turns);
    await fillStore(workDirectory, 0, minimumNodes);
    measurements.push([formatNumber(turns), await measureTurns(environment, settings, workDirectory, body)]);
    process.stderr.write(".");
  }
  return growthResult("Growth: turns of a conversation, 400 characters each", "turns", measurements);
};

function growthResult(
  title: string,
  sizeName: string,
  measurements: readonly [string, TurnMeasurement][],
): PartResult {
  return {
    data: Object.fromEntries(
      measurements.map(([size, { cpuTime, answers, seconds, eventLoop, continuedShare }]) => [
        size,
        { cpuTime, answers, seconds, eventLoop, continuedShare },
      ]),
    ),
    table: {
      title,
      columns: [
        sizeName,
        "CPU per request, µs",
        "requests/s",
        "event loop late p99 / max, ms",
        "wrong answers",
      ],
      rows: measurements.map(([size, { cpuTime, answers, seconds, eventLoop, invalidAnswers }]) => [
        size,
        formatNumber((cpuTime * 1_000) / answers),
        formatNumber(answers / seconds),
        `${formatNumber(eventLoop?.p99 ?? Number.NaN)} / ${formatNumber(eventLoop?.max ?? Number.NaN)}`,
        String(invalidAnswers),
      ]),
      notes: [
        `Continued in a stored chat: ${measurements
          .map(([size, { continuedShare }]) => `${formatNumber(continuedShare * 100)} % (${size})`)
          .join(", ")}.`,
      ],
    },
  };
}

/** Starts a gateway on the store of the folder. Its port is read from its log, which must not have the last one's. */
function restartGateway(environment: BenchEnvironment, workDirectory: string): Promise<GatewayProcess> {
  rmSync(join(workDirectory, "log"), { force: true });
  return startGateway(environment, "kimi-web", { workDirectory });
}

/** Starts a gateway on the store of the folder and measures requests with this body. */
async function measureTurns(
  environment: BenchEnvironment,
  settings: Settings,
  workDirectory: string,
  body: Target["body"],
): Promise<TurnMeasurement> {
  const chatsBefore = await useStore(workDirectory, countChats);
  const { child, port } = await restartGateway(environment, workDirectory);
  const target = { ...gatewayTarget(port, "chat", true, { kind: "chat-chunks" }), body };
  const running = { child, reportsEventLoop: true, streaming: target, nonStreaming: undefined };
  const profile = { target, streams, deltas, pace: 0, pause: 0, rampUp: 100, recordTimings: false };
  const measurement = await measureLoad(environment, running, {
    profile,
    settleSeconds: settings.warmUpSeconds,
    durationSeconds: settings.windowSeconds,
  });
  await child.stop();
  const newChats = (await useStore(workDirectory, countChats)) - chatsBefore;
  // The new chats are those of the warm-up, too.
  return { ...measurement, continuedShare: Math.max(0, 1 - newChats / measurement.answers) };
}

/**
 * Lets a gateway answer the last but one of `turns` turns, which is then the only node in the store of the folder, and
 * returns the body of a request for the turn after it.
 */
async function prepareConversation(
  environment: BenchEnvironment,
  workDirectory: string,
  turns: number,
): Promise<Target["body"]> {
  const text = "A message of a conversation, long enough to be one. ".repeat(8).slice(0, 400);
  const spec = formatAnswerSpec({ number: 0, pace: 0, deltas });
  const history: { role: string; content: string }[] = [];
  for (let turn = 1; turn < turns; turn++) {
    history.push(
      { role: "user", content: `${turn} ${text}` },
      { role: "assistant", content: `${turn} ${text}` },
    );
  }
  history.push({ role: "user", content: `${text} ${spec}` });
  const body = (messages: object[]) => JSON.stringify({ model: "kimi", stream: true, messages });
  const { child, port } = await restartGateway(environment, workDirectory);
  const { path, headers } = gatewayTarget(port, "chat", true, { kind: "chat-chunks" });
  const url = `http://127.0.0.1:${port}${path}`;
  const response = await fetch(url, { method: "POST", headers, body: body(history) });
  await response.text();
  await child.stop();
  const messages = [
    ...history,
    { role: "assistant", content: answerText(deltas) },
    { role: "user", content: "<spec>" },
  ];
  const [before = "", after = ""] = body(messages).split("<spec>");
  return [before, after];
}

/**
 * Adds nodes to the store of the folder. Every other one is the turn that `prepareConversation` left there, in another
 * conversation and another chat; the others are unlike it, ten to a chat, as a conversation of ten turns leaves them.
 */
async function fillStore(workDirectory: string, from: number, to: number): Promise<void> {
  await useStore(workDirectory, async (store) => {
    const [prepared, scope] = await readPreparedTurn(store);
    const dueAt = Date.now() + 24 * 3_600_000;
    let pendingWrites: Promise<void>[] = [];
    for (let number = from; number < to; number++) {
      const isCopy = number % 2 === 0;
      const name = isCopy ? `filled-copy-${number}` : `filled-chat-${Math.floor(number / 20)}`;
      const chat = { upstream: "kimi", chat: name };
      pendingWrites.push(store.saveChat({ ...chat, scope, dueAt }));
      const turn = isCopy ? prepared : { ...prepared, ...unlikeHashes(number) };
      const node = {
        ...turn,
        conversation: fillerHash("conversation", isCopy ? number : Math.floor(number / 20)),
        answerId: `filled-message-${number}`,
      };
      pendingWrites.push(store.saveNode(node, chat));
      if (pendingWrites.length < batchSize) continue;
      await Promise.all(pendingWrites);
      pendingWrites = [];
    }
    await Promise.all(pendingWrites);
  });
}

type Turn = Omit<ConversationNode, "id" | "chat" | "hasChildren" | "parent">;

/** The first turn in the store, with the hashes that the gateway gave it, and the scope of its chat. */
async function readPreparedTurn(store: SqliteStore): Promise<[Turn, scope: string]> {
  const [chat] = await store.listDueChats(["kimi"], Number.MAX_SAFE_INTEGER, 1);
  const node = await store.findNode(1, 0);
  if (!chat || !node) throw new Error("the gateway has not saved the turn before");
  const { answerId, conversation, paths, messages, answers, systemTexts, system } = node;
  return [{ answerId, conversation, paths, messages, answers, systemTexts, system }, chat.scope];
}

function unlikeHashes(number: number): Pick<Turn, "paths" | "messages" | "answers"> {
  return {
    paths: [fillerHash("path", number)],
    messages: [fillerHash("message", number)],
    answers: [fillerHash("answer", number)],
  };
}

/** Random like the gateway's hashes and as long, so that the rows of an index are as far apart. */
function fillerHash(kind: string, number: number): string {
  return hash(kind, String(number)).slice(0, 22);
}

/** All stored chats are due at some time. */
function countChats(store: SqliteStore): Promise<number> {
  return store.countDueChats(Number.MAX_SAFE_INTEGER);
}

async function useStore<T>(workDirectory: string, use: (store: SqliteStore) => Promise<T>): Promise<T> {
  const store = await SqliteStore.open(join(workDirectory, "moonbridge.db"));
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
