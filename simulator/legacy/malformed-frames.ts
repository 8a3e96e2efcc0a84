import type { Oddities } from "../faults.js";

/** Longer than any line should be. */
const endlessLine = 9_000_000;

/** What goes wrong among server-sent events. */
export const legacyOddities: Oddities = {
  strangers: [
    { event: "aurora", colour: "violet" },
    { event: "search_plus", msg: { type: "daydream", text: "nothing yet" } },
    { event: "k1", text: "a thought in a form that nobody has written down" },
    { event: "zone_set", zone: { idx_z: 7 } },
    { event: "cmpl.v3", words: ["not", "a", "delta"] },
    { no: "event at all" },
  ],
  garbage: Buffer.from("data: this is not {JSON\n\n"),
  /** Made when it is sent: the simulator is at hand in every gateway, and nine megabytes are not for nothing. */
  get huge() {
    return Buffer.from(`data: ${"x".repeat(endlessLine)}`);
  },
};
