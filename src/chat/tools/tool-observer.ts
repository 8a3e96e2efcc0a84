import type { CallFamily, CallRepair, InvalidCall } from "./call-pieces.js";

/** Why an answer was asked for again. */
export type CorrectionReason =
  | InvalidCall["kind"]
  | "no-call"
  | "refused"
  | "service-tool"
  | "forbidden-call";

/** Is told what happens with calls, for the metrics. Nothing of it contains words of a conversation. */
export type ToolObserver = {
  onCall(family: CallFamily, outcome: "delivered" | "invalid" | "surplus" | "forbidden" | "broken"): void;
  onRepair(repair: CallRepair): void;
  onCorrection(reason: CorrectionReason): void;
  /** Calls in Kimi's own markup that were taken out of an answer to a request without functions. */
  onMarkup(count: number): void;
  /** Words after the last call that were discarded. */
  onDiscardedTail(): void;
};
