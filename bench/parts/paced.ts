import type { Bench } from "../bench.js";
import { type Column, compare, cpuPerDelta, firstDeltaColumns, ratioColumns } from "../comparison.js";
import type { Table } from "../table.js";

/** The cost of a delta at the speed of chats, in short and in long answers. */
export async function paced(bench: Bench): Promise<Table[]> {
  const common: Column[] = [
    { title: "deltas/s", metric: (measured) => measured.deltas / measured.seconds },
    { title: "MB", metric: ({ memory }) => memory / 1e6 },
  ];
  const cpu = ratioColumns("CPU per delta, µs", cpuPerDelta);
  const title = "Paced: 100 streams of 50 deltas a second";
  const load = { streams: 100, pace: 20, rampUp: 3_000 };
  return [
    await compare(bench, `${title}, 150 deltas an answer`, { ...load, deltas: 150 }, [
      ...[...cpu, ...firstDeltaColumns, ...common],
    ]),
    await compare(bench, `${title}, 1,500 deltas an answer`, { ...load, deltas: 1_500 }, [...cpu, ...common]),
  ];
}
