import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { formatSpec } from "../answer.js";
import { type Bench, stopRows } from "../bench.js";
import { Load, post } from "../load.js";
import type { RunningRow } from "../rows.js";
import { format, median, type Table } from "../table.js";

const megabyte = 1_048_576;

/** How much one big request a second delays the deltas of other people's streams. */
export async function bigInputs(bench: Bench): Promise<Table[]> {
  const running = await bench.startRows(bench.rows.filter(({ isMain }) => isMain));
  const rows: string[][] = [];
  for (const [name, body] of bigRequests()) {
    for (const row of running) {
      const load = new Load(row, { streams: 100, pace: 20, deltas: 150, rampUp: 3_000 });
      await setTimeout(4_000);
      const stop = new AbortController();
      const sending = sendRepeatedly(row, body, stop.signal);
      const { lateness, cpuTime, seconds } = await bench.observe(row, load, bench.settings.seconds * 2);
      stop.abort();
      const { durations, statuses } = await sending;
      await load.stop({ abort: true });
      const late = [lateness.p50, lateness.p99, lateness.max].map(format).join(" / ");
      rows.push([name, row.name, late, format(cpuTime / seconds / 10), format(median(durations)), statuses]);
    }
  }
  await stopRows(running);
  const title = "Big inputs: one request a second beside 100 streams of 50 deltas a second";
  const columns = ["request", "row", "delta late p50 / p99 / max, ms", "CPU, %", "time of one, ms", "status"];
  const refusal = "A transcript beyond the model's context is refused with 400; it has to be counted first.";
  return [{ title, columns, rows, notes: [refusal, ...bench.takeNotes()] }];
}

function bigRequests(): [name: string, body: Buffer][] {
  const spec = formatSpec({ pace: 0, deltas: 1 }, 0);
  const sentence = "The moon bridge carries one piece at a time, 月亮桥一次只运一块。 ";
  const prose = (bytes: number) => sentence.repeat(bytes / Buffer.byteLength(sentence));
  const message = (content: unknown, role = "user") => ({ role, content });
  const encode = (...messages: object[]) => Buffer.from(JSON.stringify({ model: "kimi", messages }));
  const transcript = (bytes: number) => {
    const roles = Array.from({ length: 100 }, (_, turn) => (turn % 2 === 0 ? "user" : "assistant"));
    return encode(
      ...roles.map((role, turn) => message(`${turn} ${prose(bytes / 100)}`, role)),
      message(spec),
    );
  };
  const url = `data:image/png;base64,${Buffer.alloc(10 * megabyte, "pixels of no picture").toString("base64")}`;
  const picture = [
    { type: "text", text: spec },
    { type: "image_url", image_url: { url } },
  ];
  return [
    ["small", encode(message(spec))],
    ["transcript of 0.5 MB", transcript(megabyte / 2)],
    ["transcript of 10 MB", transcript(10 * megabyte)],
    ["one message of 10 MB", encode(message(prose(10 * megabyte) + spec))],
    ["picture of 10 MB", encode(message(picture))],
  ];
}

/** Sends the request about once a second, one at a time, until the signal. Durations in ms. */
async function sendRepeatedly(row: RunningRow, body: Buffer, signal: AbortSignal) {
  const [durations, statuses] = [[] as number[], new Set<number | undefined>()];
  while (!signal.aborted) {
    const startedAt = performance.now();
    const response = await post(row, body);
    await text(response);
    statuses.add(response.statusCode);
    durations.push(performance.now() - startedAt);
    await setTimeout(1_000);
  }
  return { durations, statuses: [...statuses].join(", ") };
}
