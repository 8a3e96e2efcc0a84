import {
  explainNetworkCause,
  isLasting,
  type NetworkCause,
  type NetworkExplanation,
} from "../core/network-failure.js";
import type { ProxyServer } from "./proxy-server.js";

/**
 * What a proxy failed at. `unreachable`: no connection to the proxy itself. `credentials`: it wants other ones.
 * `forbidden`: it does not permit the target. `name`, `no-route`: it cannot look up or reach the target. `closed`,
 * `silent`: it said nothing. `foreign`: what it said is not the protocol.
 */
export type ProxyFailure =
  | { kind: "unreachable"; cause: NetworkCause }
  | { kind: "credentials" | "forbidden" | "name" | "no-route" | "closed" | "silent" | "foreign" };

/** A proxy that made no connection to the target. Names it without its password; has no `cause`, which may quote it. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  /** Of the system, or what the proxy answered: `ECONNREFUSED`, `HTTP 407`. */
  readonly code: string;
  /** In words; see `NetworkExplanation`. */
  readonly explanation: NetworkExplanation;
  /** Whether a retry is useless. */
  readonly isLasting: boolean;

  constructor(proxy: ProxyServer, targetHost: string, failure: ProxyFailure, code: string) {
    const { detail, remedy } = explain(proxy, targetHost, failure);
    super(detail);
    this.code = code;
    this.explanation = { detail, remedy: `This is about the proxy, not about what is behind it. ${remedy}` };
    this.isLasting =
      failure.kind === "unreachable"
        ? isLasting(failure.cause)
        : ["credentials", "forbidden", "foreign"].includes(failure.kind);
  }
}

function explain(
  { label, hostname, scheme }: ProxyServer,
  targetHost: string,
  failure: ProxyFailure,
): NetworkExplanation {
  const proxy = `the proxy ${label}`;
  switch (failure.kind) {
    case "unreachable": {
      const { detail, remedy } = explainNetworkCause(failure.cause, hostname);
      const check = "See whether the proxy runs and whether its address is right.";
      return {
        detail: `${proxy} cannot be used: ${detail}`,
        remedy: ["name", "connection"].includes(failure.cause) ? check : remedy,
      };
    }
    case "credentials":
      return {
        detail: `${proxy} does not accept this user name and password, or wants some`,
        remedy: `Put them into its address: ${scheme}://USER:PASSWORD@HOST:PORT.`,
      };
    case "forbidden":
      return {
        detail: `${proxy} does not permit a connection to ${targetHost}`,
        remedy: "Ask whoever runs the proxy to permit it, or use another one.",
      };
    case "name":
      return {
        detail: `${proxy} cannot look up the name ${targetHost}`,
        remedy: "Try again later, and see whether the proxy has a working DNS.",
      };
    case "no-route":
      return {
        detail: `${proxy} cannot reach ${targetHost}`,
        remedy: "Try again later, and see whether the proxy is connected to the internet.",
      };
    case "closed":
      return {
        detail: `${proxy} closes the connection without an answer`,
        remedy: `See whether it is of the kind that its address says, ${scheme}.`,
      };
    case "silent":
      return {
        detail: `${proxy} does not answer`,
        remedy: "Try again later, and see whether the proxy runs.",
      };
    case "foreign":
      return {
        detail: `${proxy} does not answer as a proxy`,
        remedy: `See whether it is of the kind that its address says, ${scheme}.`,
      };
  }
}
