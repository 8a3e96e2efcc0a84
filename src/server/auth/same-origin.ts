import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import { GatewayError } from "../../core/errors.js";

type RequestHead = Pick<FastifyRequest, "method" | "headers">;

/**
 * Refuses requests that a page of another origin may have caused, for those that a browser authenticates by a cookie. A
 * change needs proof that it came from this origin. Browsers send `Sec-Fetch-Site` over HTTPS and to localhost, and
 * `Origin` with every change. Throws `origin_forbidden`.
 */
export function requireSameOrigin({ method, headers }: RequestHead): void {
  const isReading = method === "GET" || method === "HEAD";
  if (comesFromHere(headers, isReading)) return;
  throw new GatewayError(
    "origin_forbidden",
    "A session of the console counts for the console's own pages only. Other programs send an API key.",
  );
}

function comesFromHere(headers: RequestHead["headers"], isReading: boolean): boolean {
  const { origin, host, "sec-fetch-site": site } = headers;
  // A proxy may change the host, so this header is asked first.
  if (site !== undefined) return site === "same-origin" || (isReading && site === "none");
  if (origin !== undefined) return hostOf(origin) === host?.toLowerCase();
  return isReading;
}

/**
 * Refuses requests whose `Host` is neither an IP address nor `localhost` nor one of `names`: by such a name a foreign page can
 * reach this machine (DNS rebinding). Throws `origin_forbidden`.
 */
export function requireKnownHost(
  { headers }: Pick<FastifyRequest, "headers">,
  names: readonly string[],
): void {
  const host = (headers.host ?? "").toLowerCase();
  const name = host.replace(/:\d+$/, "");
  const address = name.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0 || name === "localhost") return;
  if (names.some((each) => each.toLowerCase() === name)) return;
  throw new GatewayError(
    "origin_forbidden",
    "The console answers to IP addresses, to localhost and to the names in the setting server.hosts; this name is none of them.",
  );
}

/** The host and port of an origin; undefined for `null` and other texts. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/?#]+)$/i.exec(origin)?.[1]?.toLowerCase();
}
