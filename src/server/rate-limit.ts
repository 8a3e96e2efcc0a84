import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { KeyLimits } from "./auth/api-keys.js";
import { TokenBuckets } from "./token-buckets.js";

const minuteMs = 60_000;

/** Enforces each API key's `requestsPerMinute` and `concurrency`, per process. */
export class RateLimiter {
  readonly #requestBuckets = new TokenBuckets(limits.rateLimitEntries);
  readonly #runningByKey = new Map<string, number>();

  /** The remaining requests of a limited key, as OpenAI's `x-ratelimit-*` headers. */
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
    };
  }

  /** Counts a request against its key's limits. It counts as running until its reply closes. Throws `rate_limited`. */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    const { keyName } = request.principal;
    const { requestsPerMinute, concurrency } = request.keyLimits;
    // A reply that is closed already emits no further close event, so its slot would never be released.
    request.stopSignal.throwIfAborted();
    const running = this.#runningByKey.get(keyName) ?? 0;
    if (concurrency !== undefined && running >= concurrency)
      throw limitReachedError(`concurrency: ${concurrency}`, "Wait until one of its requests is done.", 1);
    if (requestsPerMinute !== undefined) {
      const allowance = { tokens: requestsPerMinute, refillMs: minuteMs };
      if (!this.#requestBuckets.take(keyName, allowance)) {
        const { secondsToNext } = this.#requestBuckets.state(keyName, allowance);
        throw limitReachedError(
          `requestsPerMinute: ${requestsPerMinute}`,
          `Try again in ${secondsToNext} s.`,
          secondsToNext,
        );
      }
    }
    reply.headers(this.headers(keyName, request.keyLimits));
    if (concurrency === undefined) return;
    this.#runningByKey.set(keyName, running + 1);
    reply.raw.once("close", () => this.#release(keyName));
  }

  #release(key: string): void {
    const running = (this.#runningByKey.get(key) ?? 0) - 1;
    if (running > 0) this.#runningByKey.set(key, running);
    else this.#runningByKey.delete(key);
  }
}

function limitReachedError(limit: string, advice: string, retryAfterSeconds: number): GatewayError {
  const message = `Moonbridge's own limit for this key is reached (${limit}). ${advice}`;
  return new GatewayError("rate_limited", message, { retryAfterSeconds });
}
