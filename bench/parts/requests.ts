import { nginx } from "../candidates/nginx.js";
import { type Column, compare, cpuColumns } from "./comparison.js";
import type { Part } from "./part.js";

const [streams, deltas] = [50, 8];
const load = { streams, deltas, pace: 0, rest: 0, stagger: 100, record: false };

const columns: Column[] = [
  { title: "requests/s", cell: (look) => look.middle("answersPerSecond") },
  ...cpuColumns("CPU per request, µs", "cpuPerAnswer", nginx),
];

/** Many short answers: what a request costs besides its deltas. */
export const streamedRequests: Part = (stage, settings) =>
  compare(stage, settings, {
    title: `Requests: ${streams} connections, ${deltas} deltas an answer, streamed`,
    work: ({ streams: target }) => ({ target, ...load }),
    columns,
  });

export const wholeRequests: Part = (stage, settings) =>
  compare(stage, settings, {
    title: `Requests: ${streams} connections, ${deltas} deltas an answer, answered in one piece`,
    work: ({ whole: target }) => target && { target, ...load },
    columns,
  });
