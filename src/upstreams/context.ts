import type { Surroundings } from "../accounts/credentials.js";
import type { Drift } from "../observability/protocol-drift.js";
import type { Recorder } from "../observability/recording/recorder.js";

/** Milliseconds after which an answer is given up: in silence, and with heartbeats but no progress; and a file. */
export type Patience = { silence: number; progress: number; parse?: number };

/** What an upstream with a login of Kimi's needs around it. */
export type UpstreamSurroundings = Pick<Surroundings, "store" | "warn"> & {
  drift: Drift;
  patience?: Patience;
  recorder?: Recorder | undefined;
};
