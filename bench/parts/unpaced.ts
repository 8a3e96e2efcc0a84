import { nginx } from "../candidates/nginx.js";
import { naiveRelay } from "../candidates/relays.js";
import { compare, cpuColumns } from "./comparison.js";
import type { Part } from "./part.js";

/** The maximum throughput: the upstream sends all deltas of an answer at once. */
export const unpaced: Part = (environment, settings) => {
  const [streams, deltas] = [100, 200];
  return compare(environment, settings, {
    title: `Unpaced: ${streams} streams, ${deltas} deltas an answer, each delta a chunk of the body`,
    profile: ({ streaming: target }) => ({
      target,
      streams,
      deltas,
      pace: 0,
      pause: 0,
      rampUp: 100,
      recordTimings: false,
    }),
    columns: [
      { title: "deltas/s", cell: (results) => results.median("deltasPerSecond") },
      { title: "× naive relay's", cell: (results) => results.ratio("deltasPerSecond", naiveRelay) },
      ...cpuColumns("CPU per delta, µs", "cpuPerDelta", nginx),
    ],
  });
};
