import type { CredentialsContext } from "../accounts/credentials.js";
import type { ProtocolDrift } from "../observability/protocol-drift.js";
import type { Recorder } from "../observability/recording/recorder.js";
import type { ChooseProxy } from "../proxy/proxy-rules.js";

/**
 * Timeouts of an answer, in milliseconds: `idle` without a byte, `progress` with nothing but heartbeats.
 * `parse`: how long Kimi may take to read an uploaded file.
 */
export type IdleTimeouts = { idle: number; progress: number; parse?: number };

/** Dependencies of an upstream that uses a Kimi account. */
export type UpstreamContext = Pick<CredentialsContext, "store" | "warn"> & {
  drift: ProtocolDrift;
  timeouts?: IdleTimeouts;
  recorder?: Recorder | undefined;
  /** The proxies of its requests; by default none. */
  chooseProxy?: ChooseProxy | undefined;
};
