import type { MalformedFrames } from "../faults.js";

/** The length of a line that exceeds every sensible limit, in characters. */
const oversizedLineLength = 9_000_000;

/** Malformed and unknown server-sent events. */
export const legacyMalformedFrames: MalformedFrames = {
  memory: [],
  unknown: [
    { event: "aurora", colour: "violet" },
    { event: "search_plus", msg: { type: "daydream", text: "nothing yet" } },
    { event: "k1", text: "a thought in a form that nobody has written down" },
    { event: "zone_set", zone: { idx_z: 7 } },
    { event: "cmpl.v3", words: ["not", "a", "delta"] },
    { no: "event at all" },
  ],
  garbage: Buffer.from("data: this is not {JSON\n\n"),
  /** Created on demand: every gateway loads the simulator, and nine megabytes should not stay in memory. */
  get huge() {
    return Buffer.from(`data: ${"x".repeat(oversizedLineLength)}`);
  },
};
