import { nginx } from "../candidates/nginx.js";
import { type Comparison, compare, cpuColumns, megabytes } from "./comparison.js";
import type { Part } from "./part.js";

/** Streams, milliseconds between two deltas of one, and deltas an answer. */
export const streams = 200;
export const pace = 20;
export const deltasAnAnswer = 150;

/** Streams as a chat makes them: 50 deltas a second each. Processor time and latency count here. */
export const paced: Part = (stage, settings) =>
  compare(stage, settings, inAnswersOf(settings.quick ? 25 : deltasAnAnswer));

/** The same in answers of a length at which requests weigh little, so that the delta itself is seen. */
export const pacedLong: Part = (stage, settings) =>
  compare(stage, settings, inAnswersOf(settings.quick ? 100 : 1_500));

function inAnswersOf(deltas: number): Comparison {
  return {
    title: `Paced: ${streams} streams of ${1_000 / pace} deltas a second, ${deltas} deltas an answer`,
    work: ({ streams: target }) => ({
      ...{ target, streams, pace, deltas, rest: 0, stagger: pace * deltas, record: true },
    }),
    columns: [
      ...cpuColumns("CPU per delta, µs", "cpuPerDelta", nginx),
      {
        title: "first delta p50 / p99, ms",
        cell: (look) => `${look.middle("first50")} / ${look.middle("first99")}`,
      },
      {
        title: "added to a delta p50 / p99, ms",
        cell: (look) => `${look.added("delay50")} / ${look.added("delay99")}`,
      },
      { title: "deltas/s", cell: (look) => look.middle("deltasPerSecond") },
      { title: "memory, MB", cell: megabytes },
      { title: "event loop p99, ms", cell: (look) => look.middle("loop99") },
    ],
  };
}
