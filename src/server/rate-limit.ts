import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { BucketState, RateAllowance, SharedBuckets } from "../core/shared-buckets.js";
import type { KeyLimits } from "./auth/api-keys.js";
import { ServiceBuckets } from "./service-buckets.js";

const minuteMs = 60_000;

/** Enforces each API key's `requestsPerMinute`, over all processes where the store is shared. */
export class RateLimiter {
  readonly #buckets: ServiceBuckets;

  constructor(shared: SharedBuckets | undefined) {
    this.#buckets = new ServiceBuckets(shared, limits.rateLimitEntries);
  }

  /** The remaining requests of a limited key, as far as this process knows, as OpenAI's `x-ratelimit-*` headers and Anthropic's. */
  headers(key: string, { requestsPerMinute }: KeyLimits): Record<string, string> {
    if (requestsPerMinute === undefined) return {};
    const state = this.#buckets.localState(`requests of ${key}`, allowanceOf(requestsPerMinute));
    return toHeaders(requestsPerMinute, state);
  }

  /** Counts a request against its key's limit. Throws `rate_limited`. */
  async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { keyName } = request.principal;
    const { requestsPerMinute } = request.keyLimits;
    if (requestsPerMinute === undefined) return;
    const name = `requests of ${keyName}`;
    const { isTaken, ...state } = await this.#buckets.take(name, allowanceOf(requestsPerMinute));
    if (!isTaken)
      throw new GatewayError(
        "rate_limited",
        `Moonbridge's own limit for this key is reached (requestsPerMinute: ${requestsPerMinute}). Try again in ${state.secondsToNext} s.`,
        { retryAfterSeconds: state.secondsToNext },
      );
    reply.headers(toHeaders(requestsPerMinute, state));
  }
}

function allowanceOf(requestsPerMinute: number): RateAllowance {
  return { tokens: requestsPerMinute, refillMs: minuteMs };
}

function toHeaders(
  requestsPerMinute: number,
  { remaining, secondsToFull }: BucketState,
): Record<string, string> {
  return {
    "x-ratelimit-limit-requests": String(requestsPerMinute),
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": `${secondsToFull}s`,
    "anthropic-ratelimit-requests-limit": String(requestsPerMinute),
    "anthropic-ratelimit-requests-remaining": String(remaining),
    "anthropic-ratelimit-requests-reset": new Date(Date.now() + secondsToFull * 1_000).toISOString(),
  };
}
