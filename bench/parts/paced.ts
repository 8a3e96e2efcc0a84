import { nginx } from "../candidates/nginx.js";
import { type Comparison, compare, cpuColumns, megabytes } from "./comparison.js";
import type { Part } from "./part.js";

/** Concurrent streams. */
export const streams = 200;
/** Milliseconds between two deltas of a stream. */
export const pace = 20;
export const deltasPerAnswer = 150;

/** The cost and latency of deltas at the speed of a chat: 50 per second on each of 200 streams. */
export const paced: Part = (environment, settings) =>
  compare(environment, settings, pacedComparison(settings.quick ? 25 : deltasPerAnswer));

/** The same with long answers, so that the cost of requests is small compared with that of deltas. */
export const pacedLong: Part = (environment, settings) =>
  compare(environment, settings, pacedComparison(settings.quick ? 100 : 1_500));

function pacedComparison(deltas: number): Comparison {
  return {
    title: `Paced: ${streams} streams of ${1_000 / pace} deltas a second, ${deltas} deltas an answer`,
    profile: ({ streaming: target }) => ({
      ...{ target, streams, pace, deltas, pause: 0, rampUp: pace * deltas, recordTimings: true },
    }),
    columns: [
      ...cpuColumns("CPU per delta, µs", "cpuPerDelta", nginx),
      {
        title: "first delta p50 / p99, ms",
        cell: (results) => `${results.median("firstDeltaP50")} / ${results.median("firstDeltaP99")}`,
      },
      {
        title: "added to a delta p50 / p99, ms",
        cell: (results) =>
          `${results.differenceToNoGateway("deltaDelayP50")} / ${results.differenceToNoGateway("deltaDelayP99")}`,
      },
      { title: "deltas/s", cell: (results) => results.median("deltasPerSecond") },
      { title: "memory, MB", cell: megabytes },
      { title: "event loop p99, ms", cell: (results) => results.median("eventLoopP99") },
    ],
  };
}
