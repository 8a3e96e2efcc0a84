import type { QueueState } from "../accounts/account-queue.js";
import type { ActiveUpstream, ActiveUpstreams } from "../chat/active-upstreams.js";
import type { CapabilityState } from "../core/capabilities.js";
import { limits } from "../core/limits.js";
import type { AccountStatus, Quota } from "../core/types.js";

/** The state of one upstream's account, of its queue and of its circuit breaker. */
export type AccountReport = {
  upstream: string;
  kind: string;
  simulated: boolean;
  status: AccountStatus;
  /** Answers in progress. */
  running: number;
  /** Requests in the queue. */
  waiting: number;
  /** The circuit breaker is open: other upstreams are preferred. */
  failing: boolean;
  /** What is known of the account's behaviour; undefined where nothing is assumed. */
  capabilities: CapabilityState[] | undefined;
};

/** Reports on the accounts behind the upstreams. */
export class Accounts {
  readonly #upstreams: ActiveUpstreams;

  constructor(upstreams: ActiveUpstreams) {
    this.#upstreams = upstreams;
  }

  /** One report per upstream, from local state; sends nothing upstream. */
  reports(): AccountReport[] {
    return this.#upstreams.current.map(reportOn);
  }

  /** The quotas of an upstream's account; undefined where it has none. Throws GatewayError. */
  quota(upstreamName: string, signal: AbortSignal): Promise<Quota[] | undefined> {
    return this.#upstreams.use(async (active) =>
      active.find(({ upstream }) => upstream.name === upstreamName)?.upstream.quota?.(signal),
    );
  }
}

function reportOn({ upstream, guards: { queue, circuitBreaker } }: ActiveUpstream): AccountReport {
  const { name, kind, simulated } = upstream;
  const { state } = queue;
  return {
    upstream: name,
    kind,
    simulated,
    status: combinedStatus(upstream.status(), state),
    running: state.running,
    waiting: state.waiting,
    failing: circuitBreaker.isOpen,
    capabilities: upstream.capabilities?.list(),
  };
}

/**
 * The status of the credentials if it needs attention; else Kimi's last quota or rate-limit error; else `busy` if
 * requests are queued.
 */
function combinedStatus(
  credentialStatus: AccountStatus,
  { pause, quotaExceeded, waiting }: QueueState,
): AccountStatus {
  if (credentialStatus.state !== "ok" && credentialStatus.state !== "expiring") return credentialStatus;
  if (quotaExceeded && quotaExceeded.reportedAt + limits.quotaStateTtl > Date.now())
    return { state: "quota", detail: quotaExceeded.reason.message };
  if (pause) return { state: "limited", detail: pause.reason.message, until: pause.until };
  if (waiting > 0) return { state: "busy", detail: `It answers others; ${waiting} wait for their turn.` };
  return credentialStatus;
}
