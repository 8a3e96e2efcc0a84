import { join } from "node:path";
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

const [streams, deltas] = [8, 8];

/** The number of threads that are saved in one transaction. */
const batchSize = 2_000;

/** The cost of a request as the number of threads in the store grows to a million. */
export const threadGrowth: Part = async (environment, settings) => {
  const workDirectory = environment.createWorkDirectory("growth");
  const measurements: [string, Measurement][] = [];
  let storedThreads = 0;
  for (const threads of settings.threads) {
    await fillStore(join(workDirectory, "moonbridge.db"), storedThreads, threads);
    storedThreads = threads;
    const gateway = await startGateway(environment, "kimi-web", { workDirectory });
    const target = gatewayTarget(gateway.port, "chat", true, { kind: "chat-chunks" });
    measurements.push([formatNumber(threads), await measureRequests(environment, settings, gateway, target)]);
    await gateway.child.stop();
    process.stderr.write(".");
  }
  return growthResult("Growth: threads in the store", "threads", measurements);
};

/** The cost of a request as its conversation grows to a hundred turns. */
export const turnGrowth: Part = async (environment, settings) => {
  const gateway = await startGateway(environment);
  const measurements: [string, Measurement][] = [];
  for (const turns of settings.quick ? [1, 100] : [1, 10, 30, 100]) {
    const target = await prepareConversation(gateway, turns);
    measurements.push([formatNumber(turns), await measureRequests(environment, settings, gateway, target)]);
    process.stderr.write(".");
  }
  await gateway.child.stop();
  return growthResult("Growth: turns of a conversation, 400 characters each", "turns", measurements);
};

/** The table of one row for each size; `sizeName` is the title of the first column. */
function growthResult(
  title: string,
  sizeName: string,
  measurements: readonly [string, Measurement][],
): PartResult {
  return {
    data: Object.fromEntries(
      measurements.map(([size, { cpuTime, answers, seconds, eventLoop }]) => [
        size,
        { cpuTime, answers, seconds, eventLoop },
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
      notes: [],
    },
  };
}

function measureRequests(
  environment: BenchEnvironment,
  settings: Settings,
  { child }: GatewayProcess,
  target: Target,
): Promise<Measurement> {
  const running = { child, reportsEventLoop: true, streaming: target, nonStreaming: undefined };
  const profile = { target, streams, deltas, pace: 0, pause: 0, rampUp: 100, recordTimings: false };
  return measureLoad(environment, running, {
    profile,
    settleSeconds: settings.warmUpSeconds,
    durationSeconds: settings.windowSeconds,
  });
}

/** Adds the threads with the numbers `from` to `to` to a store, ten for each chat, like conversations of ten turns. */
async function fillStore(path: string, from: number, to: number): Promise<void> {
  const store = await SqliteStore.open(path);
  const dueAt = Date.now() + 24 * 3_600_000;
  let pendingWrites: Promise<void>[] = [];
  for (let number = from; number < to; number++) {
    const chat = { upstream: "kimi", chat: `filled-chat-${Math.floor(number / 10)}` };
    if (number % 10 === 0) pendingWrites.push(store.saveChat({ ...chat, scope: "somebody's", dueAt }));
    const key = `filled-key-${String(number).padStart(32, "0")}`;
    pendingWrites.push(store.saveThread([key], { ...chat, parent: `filled-message-${number}`, system: "" }));
    if (pendingWrites.length < batchSize) continue;
    await Promise.all(pendingWrites);
    pendingWrites = [];
  }
  await Promise.all(pendingWrites);
  await store.close();
}

/**
 * Creates a conversation of `turns` turns: sends all but the last to the gateway in one request, and returns a target
 * whose requests are the last turn.
 */
async function prepareConversation({ port }: GatewayProcess, turns: number): Promise<Target> {
  const text = "A message of a conversation, long enough to be one. ".repeat(8).slice(0, 400);
  const spec = formatAnswerSpec({ number: 0, pace: 0, deltas });
  const history: { role: string; content: string }[] = [];
  for (let turn = 1; turn < turns; turn++) {
    history.push(
      { role: "user", content: `${turn} ${text}` },
      { role: "assistant", content: `${turn} ${text}` },
    );
  }
  // The turn before the last is answered by the gateway, so that the store has the thread to continue.
  history.push({ role: "user", content: `${text} ${spec}` });
  const target = gatewayTarget(port, "chat", true, { kind: "chat-chunks" });
  const body = (messages: object[]) => JSON.stringify({ model: "kimi", stream: true, messages });
  const url = `http://127.0.0.1:${port}${target.path}`;
  const response = await fetch(url, { method: "POST", headers: target.headers, body: body(history) });
  await response.text();
  const messages = [
    ...history,
    { role: "assistant", content: answerText(deltas) },
    { role: "user", content: "<spec>" },
  ];
  const [before = "", after = ""] = body(messages).split("<spec>");
  return { ...target, body: [before, after] };
}
