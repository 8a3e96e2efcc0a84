import type { FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { type Allowance, Buckets } from "../token-buckets.js";

/** Wrong keys and secrets, counted so that a short key cannot be found by trying. */
export class Attempts {
  readonly #wrong = new Buckets(limits.counted);

  /**
   * What `check` finds. Its `invalid_api_key` counts as a wrong try; after too many from one address it becomes
   * `rate_limited`. So does then a right key that could have been guessed, unless it comes from this machine. A key
   * that is too long to be guessed always opens: otherwise anybody behind the same proxy could shut others out.
   *
   * With `name`, tries for this name from this address are counted more strictly.
   */
  async check<T extends { guessable: boolean }>(
    request: FastifyRequest,
    check: () => Promise<T>,
    name?: string,
  ): Promise<T> {
    // The counters are asked after the check, in one go with counting: of many tries at once none slips through.
    try {
      const found = await check();
      if (found.guessable && !isFromHere(request)) this.#refuseAfterTooMany(countersOf(request, name));
      return found;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "invalid_api_key") throw error;
      const counters = countersOf(request, name);
      this.#refuseAfterTooMany(counters);
      for (const counter of counters) this.#wrong.take(...counter);
      throw error;
    }
  }

  #refuseAfterTooMany(counters: readonly Counter[]): void {
    const states = counters.map((counter) => this.#wrong.look(...counter));
    if (states.every(({ left }) => left > 0)) return;
    const seconds = Math.max(...states.map(({ next }) => next));
    const message = `Too many wrong keys came from this address. Try again in ${seconds} s with the right one.`;
    throw new GatewayError("rate_limited", message, { retryAfterSeconds: seconds });
  }
}

type Counter = [name: string, allowance: Allowance];

function countersOf({ socket }: FastifyRequest, name: string | undefined): Counter[] {
  const address = network(socket.remoteAddress);
  if (name === undefined) return [[address, limits.wrongKeys]];
  // No key has a name of more than 64 characters.
  return [
    [address, limits.wrongKeys],
    [`${address} ${name.slice(0, 64)}`, limits.wrongSecrets],
  ];
}

const loopback = /^(::1|(::ffff:)?127\.[\d.]+)$/;
const thisMachine = /^(https?:\/\/)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Whether a program on this machine asks: no proxy passed it on, and no web page sent it, neither from another origin
 * nor by a name that was made to lead here.
 */
function isFromHere({ socket, headers }: FastifyRequest): boolean {
  const forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => name in headers);
  const { origin, host = "" } = headers;
  return (
    loopback.test(socket.remoteAddress ?? "") &&
    !forwarded &&
    thisMachine.test(host) &&
    (origin === undefined || thisMachine.test(origin))
  );
}

/** The address, or the network of which one customer has all IPv6 addresses. */
export function network(address: string | undefined): string {
  if (address === undefined) return "unknown";
  return ipaddr.process(address).toNormalizedString().split(":").slice(0, 4).join(":");
}
