import { setTimeout } from "node:timers/promises";
import { orderLine } from "../answers/order.js";
import type { Running } from "../candidates/candidate.js";
import { apiKey, type Gateway, startGateway, targetOf } from "../candidates/moonbridge.js";
import { figure } from "../report/table.js";
import { quantile } from "../statistics.js";
import { lookThrough } from "../window.js";
import type { Part } from "./part.js";

const megabyte = 1_048_576;
const [streams, pace] = [200, 20];

/** A request that is large, as a body. */
type Input = { name: string; body: string };

/** Large requests among many streams: whoever sends ten megabytes must not make the others wait. */
export const big: Part = async (stage, settings) => {
  const gateway = await startGateway(stage);
  const running: Running = {
    child: gateway.child,
    watched: true,
    streams: targetOf(gateway.port, "chat", true, { kind: "chunks" }),
    whole: undefined,
  };
  const deltas = settings.quick ? 25 : 150;
  const work = {
    target: running.streams,
    streams,
    pace,
    deltas,
    rest: 0,
    stagger: pace * deltas,
    record: true,
  };
  const options = { work, settle: settings.warmSeconds, seconds: settings.quick ? 1.5 : 10 };
  const rows: string[][] = [];
  const data: Record<string, object> = {};
  for (const input of inputs()) {
    const sending = sendEvery(gateway, input, options.seconds);
    const window = await lookThrough(stage, running, options);
    const { statuses, times } = await sending.stop();
    process.stderr.write(".");
    const { loop, delays, wrong, complaint } = window;
    data[input.name] = { loop, delay99: quantile(delays, 0.99), statuses, times, wrong, complaint };
    rows.push([
      input.name,
      `${figure(loop?.p99 ?? Number.NaN)} / ${figure(loop?.max ?? Number.NaN)}`,
      `${figure(quantile(delays, 0.5))} / ${figure(quantile(delays, 0.99))} / ${figure(quantile(delays, 1))}`,
      `${times.length} (${[...new Set(statuses)].join(", ")})`,
      figure(quantile(times, 0.5)),
      String(wrong),
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

function inputs(): Input[] {
  const order = orderLine({ number: 0, pace: 0, deltas: 1 });
  const words = "The moon bridge carries one piece at a time, 月亮桥一次只运一块。 ";
  const conversation = (bytes: number) => {
    const text = words.repeat(Math.ceil(bytes / 100 / Buffer.byteLength(words)));
    const history = Array.from({ length: 50 }, (_, turn) => [
      { role: "user", content: `${turn} ${text}` },
      { role: "assistant", content: `${turn} ${text}` },
    ]);
    return request([...history.flat(), { role: "user", content: order }]);
  };
  const picture = `data:image/png;base64,${Buffer.alloc(10 * megabyte, "pixels of no picture").toString("base64")}`;
  const parts = [
    { type: "text", text: order },
    { type: "image_url", image_url: { url: picture } },
  ];
  return [
    { name: "small", body: request([{ role: "user", content: order }]) },
    { name: "transcript of 0.5 MB", body: conversation(megabyte / 2) },
    { name: "transcript of 10 MB", body: conversation(10 * megabyte) },
    {
      name: "one message of 10 MB",
      body: request([
        { role: "user", content: words.repeat((10 * megabyte) / Buffer.byteLength(words)) + order },
      ]),
    },
    { name: "picture of 10 MB", body: request([{ role: "user", content: parts }]) },
  ];
}

function request(messages: object[]): string {
  return JSON.stringify({ model: "kimi", messages });
}

/** Sends the request once a second; `stop` resolves with what came of each. */
function sendEvery({ port }: Gateway, { body }: Input, seconds: number) {
  const statuses: number[] = [];
  const times: number[] = [];
  let stopped = false;
  const sending = (async () => {
    while (!stopped) {
      const startedAt = performance.now();
      const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
        body,
      });
      await response.arrayBuffer();
      statuses.push(response.status);
      times.push(performance.now() - startedAt);
      await setTimeout(Math.min(1_000, seconds * 100));
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await sending;
      return { statuses, times };
    },
  };
}
