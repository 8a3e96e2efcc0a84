import { nginx } from "../candidates/nginx.js";
import { type Column, compare, cpuColumns } from "./comparison.js";
import type { Part } from "./part.js";

const [streams, deltas] = [50, 8];
const loadSettings = { streams, deltas, pace: 0, pause: 0, rampUp: 100, recordTimings: false };

const columns: Column[] = [
  { title: "requests/s", cell: (results) => results.median("answersPerSecond") },
  ...cpuColumns("CPU per request, µs", "cpuPerAnswer", nginx),
];

/** The cost of a request with a short, streamed answer. */
export const streamedRequests: Part = (environment, settings) =>
  compare(environment, settings, {
    title: `Requests: ${streams} connections, ${deltas} deltas an answer, streamed`,
    profile: ({ streaming: target }) => ({ target, ...loadSettings }),
    columns,
  });

/** The cost of a request with a short answer that is not streamed. */
export const nonStreamedRequests: Part = (environment, settings) =>
  compare(environment, settings, {
    title: `Requests: ${streams} connections, ${deltas} deltas an answer, answered in one piece`,
    profile: ({ nonStreaming: target }) => target && { target, ...loadSettings },
    columns,
  });
