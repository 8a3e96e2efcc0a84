import { nginx } from "../candidates/nginx.js";
import { naiveRelay } from "../candidates/relays.js";
import { compare, cpuColumns } from "./comparison.js";
import type { Part } from "./part.js";

/** As fast as the candidate can: the ceiling. */
export const unpaced: Part = (stage, settings) => {
  const [streams, deltas] = [100, 200];
  return compare(stage, settings, {
    title: `Unpaced: ${streams} streams, ${deltas} deltas an answer, each delta a chunk of the body`,
    work: ({ streams: target }) => ({
      target,
      streams,
      deltas,
      pace: 0,
      rest: 0,
      stagger: 100,
      record: false,
    }),
    columns: [
      { title: "deltas/s", cell: (look) => look.middle("deltasPerSecond") },
      { title: "× naive relay's", cell: (look) => look.ratio("deltasPerSecond", naiveRelay) },
      ...cpuColumns("CPU per delta, µs", "cpuPerDelta", nginx),
    ],
  });
};
