import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { limits } from "../../core/limits.js";
import {
  explainNetworkCause,
  type NetworkCause,
  networkCauseOf,
  redirectTarget,
} from "../../core/network-failure.js";
import { errorCode } from "../../lib/error-code.js";
import { version } from "../../lib/version.js";
import { ProxyError } from "../../proxy/proxy-error.js";
import type { ProxyServer } from "../../proxy/proxy-server.js";
import { openTunnel } from "../../proxy/tunnel.js";
import type { Finding } from "./finding.js";

/**
 * The result of a probe. `proxy`: the proxy that led to it. `clockAhead`: milliseconds by which this machine's clock is ahead of the server's; undefined
 * without a `Date` header. `redirectsTo`: the other host that it names. `stage`: the step of the connection that failed.
 */
export type Probe = { address: string; proxy?: ProxyServer | undefined } & (
  | {
      reached: true;
      status: number;
      milliseconds: number;
      clockAhead: number | undefined;
      redirectsTo?: string | undefined;
    }
  | { reached: false; stage: ConnectStage; code: string }
  | { reached: false; proxyError: ProxyError }
);

type ConnectStage = "name" | "connection" | "TLS" | "answer";

/** Probes an address with one HEAD request without credentials, through the proxy if there is one. Never rejects. */
export async function probeAddress(
  address: string,
  signal: AbortSignal,
  proxy?: ProxyServer,
): Promise<Probe> {
  if (!proxy) return sendProbe(address, signal);
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(limits.connect)]);
    const tunnel = await openTunnel(proxy, new URL(address), deadline);
    return { ...(await sendProbe(address, signal, tunnel)), proxy };
  } catch (error) {
    if (error instanceof ProxyError) return { address, proxy, reached: false, proxyError: error };
    return { address, proxy, reached: false, stage: "name", code: failureCode(error) };
  }
}

/** `tunnel`: a connection to the host of the address. */
function sendProbe(address: string, signal: AbortSignal, tunnel?: Socket): Promise<Probe> {
  const url = new URL(address);
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/[[\]]/g, "");
  const stageAfterConnection: ConnectStage = isSecure ? "TLS" : "answer";
  let stage: ConnectStage = isIP(host) ? "connection" : "name";
  if (tunnel) stage = stageAfterConnection;
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method: "HEAD",
      ...(tunnel ? { createConnection: () => (isSecure ? secure(tunnel, host) : tunnel) } : { agent: false }),
      headers: { "user-agent": `Moonbridge/${version}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(limits.doctorProbe)]),
    });
    request.on("socket", (socket) => {
      socket.once("lookup", (error) => {
        if (!error) stage = "connection";
      });
      socket.once("connect", () => {
        stage = stageAfterConnection;
      });
      socket.once("secureConnect", () => {
        stage = "answer";
      });
    });
    request.on("response", ({ statusCode = 0, headers }) => {
      const milliseconds = Date.now() - startedAt;
      const serverTime = Date.parse(headers.date ?? "");
      // The server read its clock at about half the round trip.
      const difference = startedAt + milliseconds / 2 - serverTime;
      const clockAhead = Number.isFinite(difference) ? difference : undefined;
      const redirectsTo = redirectTarget(headers.location, url.hostname);
      resolve({ address, reached: true, status: statusCode, milliseconds, clockAhead, redirectsTo });
      request.destroy();
    });
    request.on("error", (error) => {
      const code = failureCode(error);
      // Only what was accepted can be reset; Node may report that without having reported the connection.
      const isReset = stage === "connection" && code === "ECONNRESET";
      resolve({ address, reached: false, stage: isReset ? stageAfterConnection : stage, code });
    });
    request.end();
  });
}

/** TLS with a host through a tunnel. */
function secure(tunnel: Socket, host: string): Socket {
  return connectTls({ socket: tunnel, host, ...(isIP(host) ? {} : { servername: host }) });
}

/** Reports whether the probed service answers, and at which stage the connection failed. */
export function checkReachability(probe: Probe): Finding {
  const { origin, hostname } = new URL(probe.address);
  const what = `network ${origin}`;
  const way = probe.proxy ? `, through the proxy ${probe.proxy.label}` : "";
  if (probe.reached) {
    const detail = `it answers with HTTP ${probe.status} after ${probe.milliseconds} ms${way}`;
    if (probe.redirectsTo !== undefined) {
      const redirect = explainNetworkCause("redirect", hostname, probe.redirectsTo);
      return {
        what,
        state: "warn",
        detail: `${redirect.detail} (HTTP ${probe.status})${way}`,
        remedy: redirect.remedy,
      };
    }
    if (probe.status < 500) return { what, state: "ok", detail };
    return { what, state: "warn", detail, remedy: "It is in trouble itself. Try again later." };
  }
  if ("proxyError" in probe) {
    const { explanation, code } = probe.proxyError;
    return { what, state: "fail", detail: `${explanation.detail} (${code})`, remedy: explanation.remedy };
  }
  const cause = networkCauseOf(probe.code) ?? causeOfStage[probe.stage];
  const { detail, remedy } = explainNetworkCause(cause, hostname);
  return { what, state: "fail", detail: `${detail} (${probe.code})${way}`, remedy };
}

/** The cause of a failure whose code has several. */
const causeOfStage: Record<ConnectStage, NetworkCause> = {
  name: "name",
  connection: "connection",
  TLS: "tls",
  answer: "answer",
};

/** Compares this machine's clock with the first service that sent a `Date` header. */
export function checkClock(probes: readonly Probe[]): Finding[] {
  const what = "clock";
  const withClock = probes.find((each) => each.reached && each.clockAhead !== undefined);
  if (!withClock?.reached || withClock.clockAhead === undefined) return [];
  const { hostname } = new URL(withClock.address);
  const seconds = Math.round(withClock.clockAhead / 1_000);
  if (Math.abs(withClock.clockAhead) <= limits.doctorClockSkew)
    return [
      { what, state: "ok", detail: `within ${limits.doctorClockSkew / 1_000} s of that of ${hostname}` },
    ];
  return [
    {
      what,
      state: "warn",
      detail: `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} that of ${hostname}`,
      remedy:
        "Let this machine set its clock by the network (timedatectl set-ntp true, or its date settings): expiries of keys " +
        "and tokens go by it.",
    },
  ];
}

function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error.name === "AbortError") return `nothing within ${limits.doctorProbe / 1_000} s`;
  return errorCode(error) ?? error.name;
}
