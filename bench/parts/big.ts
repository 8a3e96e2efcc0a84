import { setTimeout } from "node:timers/promises";
import { formatAnswerSpec } from "../answers/answer-spec.js";
import type { RunningCandidate } from "../candidates/candidate.js";
import { apiKey, type GatewayProcess, gatewayTarget, startGateway } from "../candidates/moonbridge.js";
import { measureLoad } from "../measurement.js";
import { formatNumber } from "../report/table.js";
import { quantile } from "../statistics.js";
import type { Part } from "./part.js";

const megabyte = 1_048_576;
const [streams, pace] = [200, 20];

/** A large request: its JSON body, and its name in the table. */
type LargeRequest = { name: string; body: string };

/** Large requests while many streams are open: how much a request of ten megabytes delays the deltas of the streams. */
export const big: Part = async (environment, settings) => {
  const gateway = await startGateway(environment);
  const running: RunningCandidate = {
    child: gateway.child,
    reportsEventLoop: true,
    streaming: gatewayTarget(gateway.port, "chat", true, { kind: "chat-chunks" }),
    nonStreaming: undefined,
  };
  const deltas = settings.quick ? 25 : 150;
  const profile = {
    target: running.streaming,
    streams,
    pace,
    deltas,
    pause: 0,
    rampUp: pace * deltas,
    recordTimings: true,
  };
  const options = {
    profile,
    settleSeconds: settings.warmUpSeconds,
    durationSeconds: settings.quick ? 1.5 : 10,
  };
  const rows: string[][] = [];
  const data: Record<string, object> = {};
  for (const largeRequest of largeRequests()) {
    const sender = sendRepeatedly(gateway, largeRequest, options.durationSeconds);
    const measurement = await measureLoad(environment, running, options);
    const { statuses, durations } = await sender.stop();
    process.stderr.write(".");
    const { eventLoop, deltaDelays, invalidAnswers, firstFailure } = measurement;
    data[largeRequest.name] = {
      eventLoop,
      deltaDelayP99: quantile(deltaDelays, 0.99),
      statuses,
      durations,
      invalidAnswers,
      firstFailure,
    };
    rows.push([
      largeRequest.name,
      `${formatNumber(eventLoop?.p99 ?? Number.NaN)} / ${formatNumber(eventLoop?.max ?? Number.NaN)}`,
      `${formatNumber(quantile(deltaDelays, 0.5))} / ${formatNumber(quantile(deltaDelays, 0.99))} / ${formatNumber(quantile(deltaDelays, 1))}`,
      `${durations.length} (${[...new Set(statuses)].join(", ")})`,
      formatNumber(quantile(durations, 0.5)),
      String(invalidAnswers),
    ]);
  }
  await gateway.child.stop();
  return {
    data,
    table: {
      title: `Big inputs: one request a second beside ${streams} streams of ${1_000 / pace} deltas a second`,
      columns: [
        "request",
        "event loop late p99 / max, ms",
        "delta late p50 / p99 / max, ms",
        "requests (status)",
        "time of one, ms",
        "wrong answers",
      ],
      rows,
      notes: [
        "- A transcript beyond the model's context is refused with status 400; it has to be counted first.",
      ],
    },
  };
};

function largeRequests(): LargeRequest[] {
  const specLine = formatAnswerSpec({ number: 0, pace: 0, deltas: 1 });
  const sentence = "The moon bridge carries one piece at a time, 月亮桥一次只运一块。 ";
  const transcript = (bytes: number) => {
    const text = sentence.repeat(Math.ceil(bytes / 100 / Buffer.byteLength(sentence)));
    const history = Array.from({ length: 50 }, (_, turn) => [
      { role: "user", content: `${turn} ${text}` },
      { role: "assistant", content: `${turn} ${text}` },
    ]);
    return encodeRequest([...history.flat(), { role: "user", content: specLine }]);
  };
  const picture = `data:image/png;base64,${Buffer.alloc(10 * megabyte, "pixels of no picture").toString("base64")}`;
  const contentParts = [
    { type: "text", text: specLine },
    { type: "image_url", image_url: { url: picture } },
  ];
  return [
    { name: "small", body: encodeRequest([{ role: "user", content: specLine }]) },
    { name: "transcript of 0.5 MB", body: transcript(megabyte / 2) },
    { name: "transcript of 10 MB", body: transcript(10 * megabyte) },
    {
      name: "one message of 10 MB",
      body: encodeRequest([
        { role: "user", content: sentence.repeat((10 * megabyte) / Buffer.byteLength(sentence)) + specLine },
      ]),
    },
    { name: "picture of 10 MB", body: encodeRequest([{ role: "user", content: contentParts }]) },
  ];
}

function encodeRequest(messages: object[]): string {
  return JSON.stringify({ model: "kimi", messages });
}

/** Sends the request about once a second, one at a time. `stop` resolves with the status and the duration (ms) of each. */
function sendRepeatedly({ port }: GatewayProcess, { body }: LargeRequest, seconds: number) {
  const statuses: number[] = [];
  const durations: number[] = [];
  let isStopped = false;
  const sending = (async () => {
    while (!isStopped) {
      const startedAt = performance.now();
      const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
        body,
      });
      await response.arrayBuffer();
      statuses.push(response.status);
      durations.push(performance.now() - startedAt);
      await setTimeout(Math.min(1_000, seconds * 100));
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      await sending;
      return { statuses, durations };
    },
  };
}
