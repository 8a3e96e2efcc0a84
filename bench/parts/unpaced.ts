import type { Bench } from "../bench.js";
import { compare, cpuPerDelta, ratioColumns } from "../comparison.js";
import type { Table } from "../table.js";

/** The ceiling: all deltas of an answer at once. */
export async function unpaced(bench: Bench): Promise<Table[]> {
  const load = { streams: 100, pace: 0, deltas: 200, rampUp: 100 };
  const columns = [
    ...ratioColumns("CPU per delta, µs", cpuPerDelta),
    {
      title: "deltas/s",
      metric: (measured: { deltas: number; seconds: number }) => measured.deltas / measured.seconds,
    },
  ];
  return [await compare(bench, "Unpaced: 100 streams, 200 deltas an answer", load, columns)];
}
