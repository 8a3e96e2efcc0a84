import type { FastifyBaseLogger } from "fastify";
import { AccountQueue } from "../accounts/account-queue.js";
import { CircuitBreaker } from "../chat/circuit-breaker.js";
import type { UpstreamGuards } from "../chat/failover.js";
import type { UpstreamConfig } from "../config/upstream-settings.js";
import type { SharedSlots } from "../core/shared-slots.js";
import type { WaitLimits } from "../lib/slot-queue.js";
import type { Metrics } from "../observability/metrics.js";
import { kindOf } from "../upstreams/registry.js";

export type UpstreamGuardsOptions = {
  /** How many requests may wait for the upstream, and how long; read when one has to wait. */
  waitLimits: () => WaitLimits;
  log: FastifyBaseLogger;
  metrics: Metrics;
  slots: SharedSlots | undefined;
};

/** The queue, circuit breaker and metrics in front of one upstream. */
export function createUpstreamGuards(
  upstream: UpstreamConfig,
  { waitLimits, log, metrics, slots }: UpstreamGuardsOptions,
): UpstreamGuards {
  const { name, concurrency = kindOf(upstream).defaultConcurrency, minSecondsBetweenStarts = 0 } = upstream;
  const options = {
    concurrency,
    minInterval: minSecondsBetweenStarts * 1_000,
    waitLimits,
    onWait: ({ position }: { position: number }) =>
      log.info({ upstream: name, position }, "a request waits for its turn"),
  };
  const onLost = (count: number) => {
    metrics.recordLostSlots(name, count);
    log.warn({ upstream: name, count }, "slots had expired while they were in use");
  };
  return {
    queue: new AccountQueue(options, slots && { slots, account: name, onLost }),
    circuitBreaker: new CircuitBreaker(),
    observe: (outcome, { queueMs, firstOutputMs }) => {
      metrics.recordAnswer({ upstream: name, outcome, queueMs, firstOutputMs });
      const times = {
        queueMs: Math.round(queueMs),
        firstOutputMs: firstOutputMs && Math.round(firstOutputMs),
      };
      log.debug({ upstream: name, outcome, ...times }, "an upstream was tried");
    },
  };
}
