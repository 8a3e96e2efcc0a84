import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { KeyLimits } from "./auth/api-keys.js";
import { TokenBuckets } from "./token-buckets.js";

const minuteMs = 60_000;

/** Enforces each API key's `requestsPerMinute`, per process. */
export class RateLimiter {
  readonly #requestBuckets = new TokenBuckets(limits.rateLimitEntries);

  /** The remaining requests of a limited key, as OpenAI's `x-ratelimit-*` headers and Anthropic's. */
  headers(key: string, { requestsPerMinute }: KeyLimits): Record<string, string> {
    if (requestsPerMinute === undefined) return {};
    const { remaining, secondsToFull } = this.#requestBuckets.state(key, {
      tokens: requestsPerMinute,
      refillMs: minuteMs,
    });
    return {
      "x-ratelimit-limit-requests": String(requestsPerMinute),
      "x-ratelimit-remaining-requests": String(remaining),
      "x-ratelimit-reset-requests": `${secondsToFull}s`,
      "anthropic-ratelimit-requests-limit": String(requestsPerMinute),
      "anthropic-ratelimit-requests-remaining": String(remaining),
      "anthropic-ratelimit-requests-reset": new Date(Date.now() + secondsToFull * 1_000).toISOString(),
    };
  }

  /** Counts a request against its key's limit. Throws `rate_limited`. */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    const { keyName } = request.principal;
    const { requestsPerMinute } = request.keyLimits;
    if (requestsPerMinute === undefined) return;
    const allowance = { tokens: requestsPerMinute, refillMs: minuteMs };
    if (!this.#requestBuckets.take(keyName, allowance)) {
      const { secondsToNext } = this.#requestBuckets.state(keyName, allowance);
      throw new GatewayError(
        "rate_limited",
        `Moonbridge's own limit for this key is reached (requestsPerMinute: ${requestsPerMinute}). Try again in ${secondsToNext} s.`,
        { retryAfterSeconds: secondsToNext },
      );
    }
    reply.headers(this.headers(keyName, request.keyLimits));
  }
}
