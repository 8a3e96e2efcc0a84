import type { FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { BucketState, RateAllowance, SharedBuckets } from "../../core/shared-buckets.js";
import { ServiceBuckets } from "../service-buckets.js";
import { isLocalProgram } from "./local-program.js";

/** Limits wrong keys and secrets per client address, so that a short key cannot be found by brute force. */
export class FailedLoginLimiter {
  readonly #failures: ServiceBuckets;

  constructor(shared: SharedBuckets | undefined) {
    this.#failures = new ServiceBuckets(shared, limits.rateLimitEntries);
  }

  /**
   * Runs `verify` and counts its `invalid_api_key` as a failure of the client's address; too many turn it into
   * `rate_limited`. A correct but guessable key is then refused as well, except from a program on this machine. A key
   * too long to be guessed is always accepted: otherwise one client behind a proxy could lock out all the others.
   *
   * With `name`, failures for that name from that address have a stricter limit of their own.
   */
  async check<T extends { isGuessable: boolean }>(
    request: FastifyRequest,
    verify: () => Promise<T>,
    name?: string,
  ): Promise<T> {
    // Checked after `verify`, so that concurrent attempts cannot pass the limit.
    let verified: T;
    try {
      verified = await verify();
    } catch (error) {
      if (error instanceof GatewayError && error.code === "invalid_api_key")
        await this.#countFailure(countersFor(request, name));
      throw error;
    }
    if (verified.isGuessable && !isLocalProgram(request)) {
      const counters = countersFor(request, name);
      throwIfExhausted(await Promise.all(counters.map((counter) => this.#failures.state(...counter))));
    }
    return verified;
  }

  /** Throws `rate_limited` if there were too many before it. */
  async #countFailure(counters: readonly Counter[]): Promise<void> {
    throwIfExhausted(await Promise.all(counters.map((counter) => this.#failures.state(...counter))));
    // Several attempts can have come as far as here at a time.
    const taken = await Promise.all(counters.map((counter) => this.#failures.take(...counter)));
    if (taken.some(({ isTaken }) => !isTaken))
      throwIfExhausted(taken.map(({ isTaken, ...state }) => ({ ...state, remaining: isTaken ? 1 : 0 })));
  }
}

function throwIfExhausted(states: readonly BucketState[]): void {
  if (states.every(({ remaining }) => remaining > 0)) return;
  const seconds = Math.max(...states.map(({ secondsToNext }) => secondsToNext));
  const message = `Too many wrong keys came from this address. Try again in ${seconds} s with the right one.`;
  throw new GatewayError("rate_limited", message, { retryAfterSeconds: seconds });
}

type Counter = [name: string, allowance: RateAllowance];

function countersFor({ socket }: FastifyRequest, name: string | undefined): Counter[] {
  const address = addressPrefix(socket.remoteAddress);
  if (name === undefined) return [[`wrong keys of ${address}`, limits.failedLogins]];
  // Key names have at most 64 characters.
  return [
    [`wrong keys of ${address}`, limits.failedLogins],
    [`wrong keys of ${address} for ${name.slice(0, 64)}`, limits.failedTokenRequests],
  ];
}

/** The IPv4 address, or the /64 prefix of an IPv6 address, which usually belongs to one customer. */
export function addressPrefix(address: string | undefined): string {
  if (address === undefined) return "unknown";
  return ipaddr.process(address).toNormalizedString().split(":").slice(0, 4).join(":");
}
