import { naiveRelay } from "../candidates/relays.js";
import { type Column, compare } from "./comparison.js";
import type { Part } from "./part.js";

const columns: Column[] = [
  { title: "first delta p50, ms", cell: (look) => look.middle("first50") },
  { title: "p99", cell: (look) => look.middle("first99") },
  { title: "added p50, ms", cell: (look) => look.added("first50") },
  { title: "added p99", cell: (look) => look.added("first99") },
  { title: "p99 × naive relay", cell: (look) => look.ratio("first99", naiveRelay) },
];

/** How long a person waits for the first word, alone and among a hundred others. */
export const firstAlone: Part = (stage, settings) =>
  compare(stage, settings, {
    title: "First delta: one stream at a time, warm",
    work: ({ streams: target }) => ({
      ...{ target, streams: 1, deltas: 20, pace: 0, rest: 3, stagger: 0, record: true },
    }),
    columns,
  });

export const firstAmongMany: Part = (stage, settings) => {
  const [streams, pace, deltas] = [100, 20, settings.quick ? 25 : 50];
  return compare(stage, settings, {
    title: `First delta: ${streams} streams of ${1_000 / pace} deltas a second, ${deltas} deltas an answer`,
    work: ({ streams: target }) => ({
      ...{ target, streams, pace, deltas, rest: 0, stagger: pace * deltas, record: true },
    }),
    columns,
  });
};
