import { GatewayError } from "../../core/errors.js";
import {
  explainNetworkCause,
  isLasting,
  type NetworkCause,
  type NetworkExplanation,
  networkCauseOf,
  redirectTarget,
} from "../../core/network-failure.js";
import { errorCode } from "../../lib/error-code.js";
import { ProxyError } from "../../proxy/proxy-error.js";
import type { ProxyServer } from "../../proxy/proxy-server.js";

/** The service in error messages, the name of its host, and the proxy that leads to it. */
export type ServiceAddress = { service: string; hostname: string; proxy?: ProxyServer | undefined };

/** A connection that was not established, TLS included; thrown in place of undici's error. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  readonly code: string;
  readonly isSecure: boolean;

  constructor(cause: Error, isSecure: boolean) {
    super("No connection was established.", { cause });
    this.code = errorCode(cause) ?? cause.name;
    this.isSecure = isSecure;
  }
}

/** Converts a transport failure. Messages of Node and undici are not used: they could contain headers. */
export function toTransportError(address: ServiceAddress, cause: unknown, signal: AbortSignal): GatewayError {
  if (cause instanceof GatewayError) return cause;
  if (signal.aborted && signal.reason instanceof GatewayError) return signal.reason;
  const { service } = address;
  if (cause instanceof ProxyError)
    return new GatewayError(
      "upstream_unavailable",
      `${service} cannot be reached: ${cause.explanation.detail} (${cause.code}). ${cause.explanation.remedy}`,
      { upstreamCode: cause.code, ...(cause.isLasting ? { retryable: false } : {}) },
    );
  if (cause instanceof ConnectError) return unreachableError(address, connectCause(cause), cause.code);
  const code = errorCode(cause) ?? "";
  const upstreamCode = code || (cause instanceof Error ? cause.name : "broken");
  if (/TIMEOUT/.test(code) || upstreamCode === "TimeoutError")
    return new GatewayError(
      "timeout",
      `${service} did not answer in time${throughProxy(address)}. Try again.`,
      { upstreamCode },
    );
  return new GatewayError(
    "upstream_cut",
    `The connection to ${service}${throughProxy(address)} broke before the answer was complete.`,
    { upstreamCode },
  );
}

/** A redirect, which is not followed: Kimi's API has none, but sign-in pages of networks and moved sites have. */
export function redirectError(
  address: ServiceAddress,
  status: number,
  location: string | undefined,
): GatewayError {
  const explanation = explainNetworkCause(
    "redirect",
    address.hostname,
    redirectTarget(location, address.hostname),
  );
  return new GatewayError("upstream_unavailable", describe(address, explanation, `HTTP ${status}`), {
    upstreamCode: `http_${status}`,
    retryable: false,
  });
}

function unreachableError(address: ServiceAddress, cause: NetworkCause, code: string): GatewayError {
  const message = describe(address, explainNetworkCause(cause, address.hostname), code);
  return new GatewayError("upstream_unavailable", message, {
    upstreamCode: code,
    ...(isLasting(cause) ? { retryable: false } : {}),
  });
}

function describe(address: ServiceAddress, { detail, remedy }: NetworkExplanation, code: string): string {
  return `${address.service} cannot be reached${throughProxy(address)}: ${detail} (${code}). ${remedy}`;
}

function throughProxy({ proxy }: ServiceAddress): string {
  return proxy ? ` through the proxy ${proxy.label}` : "";
}

/** A connection that is reset while TLS begins was accepted first. */
function connectCause({ code, isSecure }: ConnectError): NetworkCause {
  return networkCauseOf(code) ?? (isSecure && code === "ECONNRESET" ? "tls" : "connection");
}
