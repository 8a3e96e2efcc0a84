import { naiveRelay } from "../candidates/relays.js";
import { type Column, compare } from "./comparison.js";
import type { Part } from "./part.js";

const columns: Column[] = [
  { title: "first delta p50, ms", cell: (results) => results.median("firstDeltaP50") },
  { title: "p99", cell: (results) => results.median("firstDeltaP99") },
  { title: "added p50, ms", cell: (results) => results.differenceToNoGateway("firstDeltaP50") },
  { title: "added p99", cell: (results) => results.differenceToNoGateway("firstDeltaP99") },
  { title: "p99 × naive relay", cell: (results) => results.ratio("firstDeltaP99", naiveRelay) },
];

/** The latency of the first delta if there is no other stream. */
export const firstDeltaOfOneStream: Part = (environment, settings) =>
  compare(environment, settings, {
    title: "First delta: one stream at a time, warm",
    profile: ({ streaming: target }) => ({
      ...{ target, streams: 1, deltas: 20, pace: 0, pause: 3, rampUp: 0, recordTimings: true },
    }),
    columns,
  });

/** The latency of the first delta while a hundred streams are open. */
export const firstDeltaOfManyStreams: Part = (environment, settings) => {
  const [streams, pace, deltas] = [100, 20, settings.quick ? 25 : 50];
  return compare(environment, settings, {
    title: `First delta: ${streams} streams of ${1_000 / pace} deltas a second, ${deltas} deltas an answer`,
    profile: ({ streaming: target }) => ({
      ...{ target, streams, pace, deltas, pause: 0, rampUp: pace * deltas, recordTimings: true },
    }),
    columns,
  });
};
