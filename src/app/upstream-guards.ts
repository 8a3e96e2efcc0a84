import type { FastifyBaseLogger } from "fastify";
import { AccountQueue } from "../accounts/account-queue.js";
import { CircuitBreaker } from "../chat/circuit-breaker.js";
import type { UpstreamGuards } from "../chat/failover.js";
import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-settings.js";
import type { Metrics } from "../observability/metrics.js";
import { kindOf } from "../upstreams/registry.js";

/** The queue, circuit breaker and metrics in front of one upstream. */
export function createUpstreamGuards(
  upstream: UpstreamConfig,
  { config: { queue }, log, metrics }: { config: Config; log: FastifyBaseLogger; metrics: Metrics },
): UpstreamGuards {
  const { name, concurrency = kindOf(upstream).defaultConcurrency, minSecondsBetweenStarts = 0 } = upstream;
  const options = {
    concurrency,
    minInterval: minSecondsBetweenStarts * 1_000,
    depth: queue.depth,
    maxWait: queue.waitSeconds * 1_000,
    onWait: ({ position }: { position: number }) =>
      log.info({ upstream: name, position }, "a request waits for its turn"),
  };
  return {
    queue: new AccountQueue(options),
    circuitBreaker: new CircuitBreaker(),
    observe: (outcome, { queueMs, firstOutputMs }) => {
      metrics.recordAnswer({ upstream: name, outcome, queueMs, firstOutputMs });
      log.debug({ upstream: name, outcome, queueMs, firstOutputMs }, "an upstream was tried");
    },
  };
}
