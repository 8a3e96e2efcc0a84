import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { KeyLimits } from "./auth/api-keys.js";
import { Buckets } from "./token-buckets.js";

const minute = 60_000;

/** Holds each key to the limits that were settled for it, within this process. */
export class Throttle {
  readonly #minutes = new Buckets(limits.counted);
  readonly #running = new Map<string, number>();

  /** What a limited key has left, as OpenAI's headers. */
  headers(key: string, { requestsPerMinute }: KeyLimits): Record<string, string> {
    if (requestsPerMinute === undefined) return {};
    const { left, all } = this.#minutes.look(key, { most: requestsPerMinute, within: minute });
    return {
      "x-ratelimit-limit-requests": String(requestsPerMinute),
      "x-ratelimit-remaining-requests": String(left),
      "x-ratelimit-reset-requests": `${all}s`,
    };
  }

  /** Counts the request, which runs until its reply closes. Throws `rate_limited`. */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    const { keyName } = request.caller;
    const { requestsPerMinute, concurrency } = request.keyLimits;
    // Who has left already will not close again.
    request.stop.throwIfAborted();
    const running = this.#running.get(keyName) ?? 0;
    if (concurrency !== undefined && running >= concurrency)
      throw refusal(`concurrency: ${concurrency}`, "Wait until one of its requests is done.", 1);
    if (requestsPerMinute !== undefined) {
      const allowance = { most: requestsPerMinute, within: minute };
      if (!this.#minutes.take(keyName, allowance)) {
        const { next } = this.#minutes.look(keyName, allowance);
        throw refusal(`requestsPerMinute: ${requestsPerMinute}`, `Try again in ${next} s.`, next);
      }
    }
    reply.headers(this.headers(keyName, request.keyLimits));
    if (concurrency === undefined) return;
    this.#running.set(keyName, running + 1);
    reply.raw.once("close", () => this.#leave(keyName));
  }

  #leave(key: string): void {
    const running = (this.#running.get(key) ?? 0) - 1;
    if (running > 0) this.#running.set(key, running);
    else this.#running.delete(key);
  }
}

function refusal(limit: string, advice: string, retryAfterSeconds: number): GatewayError {
  const message = `Moonbridge's own limit for this key is reached (${limit}). ${advice}`;
  return new GatewayError("rate_limited", message, { retryAfterSeconds });
}
