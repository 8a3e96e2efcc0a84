import type { Bench } from "../bench.js";
import { type Column, compare, cpuPerAnswer, ratioColumns } from "../comparison.js";
import type { Table } from "../table.js";

/** The cost of a request with a short answer. */
export async function requests(bench: Bench): Promise<Table[]> {
  const columns: Column[] = [
    ...ratioColumns("CPU per request, µs", cpuPerAnswer),
    { title: "requests/s", metric: ({ answers, seconds }) => answers / seconds },
  ];
  const load = { streams: 50, pace: 0, deltas: 8, rampUp: 100 };
  const title = "Requests: 50 clients, 8 deltas an answer";
  return [
    await compare(bench, `${title}, streamed`, load, columns),
    await compare(bench, `${title}, in one piece`, { ...load, stream: false }, columns),
  ];
}
