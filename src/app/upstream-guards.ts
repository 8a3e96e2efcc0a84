import type { FastifyBaseLogger } from "fastify";
import { AccountQueue } from "../accounts/account-queue.js";
import { CircuitBreaker } from "../chat/circuit-breaker.js";
import type { UpstreamGuards } from "../chat/failover.js";
import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-schema.js";
import type { Metrics } from "../observability/metrics.js";

/** Concurrent answers where the configuration gives no number: what Kimi's own site allows one person. */
const defaultConcurrency: Record<UpstreamConfig["kind"], number> = {
  "kimi-web": 2,
  // One stream of a user at a time (kimi-web.md §1.6).
  "kimi-legacy": 1,
  openai: 100,
  simulator: 1_000,
};

/** The queue, circuit breaker and metrics in front of one upstream. */
export function createUpstreamGuards(
  upstream: UpstreamConfig,
  { config: { queue }, log, metrics }: { config: Config; log: FastifyBaseLogger; metrics: Metrics },
): UpstreamGuards {
  const { name, kind } = upstream;
  const configured = "concurrency" in upstream ? upstream.concurrency : undefined;
  const options = {
    concurrency: configured ?? defaultConcurrency[kind],
    depth: queue.depth,
    maxWait: queue.waitSeconds * 1_000,
    onWait: ({ position }: { position: number }) =>
      log.info({ upstream: name, position }, "a request waits for its turn"),
  };
  return {
    queue: new AccountQueue(options),
    circuitBreaker: new CircuitBreaker(),
    observe: (outcome, { queueMs, firstOutputMs }) =>
      metrics.recordAnswer({ upstream: name, outcome, queueMs, firstOutputMs }),
  };
}
