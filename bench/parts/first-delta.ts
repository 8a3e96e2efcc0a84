import type { Bench } from "../bench.js";
import { compare, firstDeltaColumns } from "../comparison.js";
import type { Table } from "../table.js";

/** How long a person waits for the first word, alone and beside others. */
export async function firstDelta(bench: Bench): Promise<Table[]> {
  const alone = { streams: 1, pace: 0, deltas: 20, pause: 3, rampUp: 0 };
  const crowd = { streams: 100, pace: 20, deltas: 50, rampUp: 1_000 };
  return [
    await compare(bench, "First delta: one stream at a time", alone, firstDeltaColumns),
    await compare(bench, "First delta: 100 streams of 50 deltas a second", crowd, firstDeltaColumns),
  ];
}
