import type { CredentialsContext } from "../accounts/credentials.js";
import type { CapabilityStore } from "../core/capabilities.js";
import type { CutAnswerOutcome } from "../observability/metrics.js";
import type { ProtocolDrift } from "../observability/protocol-drift.js";
import type { Recorder } from "../observability/recording/recorder.js";
import type { ChooseProxy } from "../proxy/proxy-rules.js";

/**
 * Timeouts of an answer, in milliseconds: `idle` without a byte, `progress` with nothing but heartbeats.
 * `parse`: how long Kimi may take to read an uploaded file. `cutAnswer`: how long it is asked for the rest of a cut answer.
 */
export type IdleTimeouts = { idle: number; progress: number; parse?: number; cutAnswer?: number };

/** Dependencies of an upstream that uses a Kimi account. */
export type UpstreamContext = Pick<CredentialsContext, "warn"> & {
  /** Without `capabilities` what is found out about the account is forgotten with the upstream. */
  store: CredentialsContext["store"] & { readonly capabilities?: CapabilityStore };
  drift: ProtocolDrift;
  /** Is told whenever the rest of a cut answer was asked for. */
  onCutAnswer?: ((outcome: CutAnswerOutcome) => void) | undefined;
  timeouts?: IdleTimeouts;
  recorder?: Recorder | undefined;
  /** The proxies of its requests; by default none. */
  chooseProxy?: ChooseProxy | undefined;
};
