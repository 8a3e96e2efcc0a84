import type { QueueState } from "../accounts/queue.js";
import type { Gates } from "../chat/failover.js";
import { limits } from "../core/limits.js";
import type { AccountStatus, Upstream } from "../core/types.js";

/** What is known of an upstream's account and of what stands in front of it. */
export type AccountReport = {
  upstream: string;
  kind: string;
  simulated: boolean;
  status: AccountStatus;
  /** Answers that are being made, and requests that wait for their turn. */
  running: number;
  waiting: number;
  /** It has been failing: others are asked first. */
  failing: boolean;
};

export function reportOf(upstream: Upstream, { queue, breaker }: Gates): AccountReport {
  const { name, kind, simulated } = upstream;
  const { state } = queue;
  return {
    upstream: name,
    kind,
    simulated,
    status: statusWith(upstream.status(), state),
    running: state.running,
    waiting: state.waiting,
    failing: breaker.isOpen,
  };
}

/** A login that is well may belong to an account that is not: what Kimi said last, then what waits. */
function statusWith(login: AccountStatus, { held, usedUp, waiting }: QueueState): AccountStatus {
  if (login.state !== "ok" && login.state !== "expiring") return login;
  if (usedUp && usedUp.at + limits.quotaRemembered > Date.now())
    return { state: "quota", detail: usedUp.because.message };
  if (held) return { state: "limited", detail: held.because.message, until: held.until };
  if (waiting > 0) return { state: "busy", detail: `It answers others; ${waiting} wait for their turn.` };
  return login;
}
