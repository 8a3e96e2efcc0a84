import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { limits } from "../../core/limits.js";
import {
  explainNetworkCause,
  type NetworkCause,
  networkCauseOf,
  redirectTarget,
} from "../../core/network-failure.js";
import { errorCode } from "../../lib/error-code.js";
import { version } from "../../lib/version.js";
import type { Finding } from "./finding.js";

/**
 * The result of a probe. `clockAhead`: milliseconds by which this machine's clock is ahead of the server's; undefined
 * without a `Date` header. `redirectsTo`: the other host that it names. `stage`: the step of the connection that failed.
 */
export type Probe = { address: string } & (
  | {
      reached: true;
      status: number;
      milliseconds: number;
      clockAhead: number | undefined;
      redirectsTo?: string | undefined;
    }
  | { reached: false; stage: ConnectStage; code: string }
);

type ConnectStage = "name" | "connection" | "TLS" | "answer";

/** Probes an address with one HEAD request without credentials. Never rejects. */
export function probeAddress(address: string, signal: AbortSignal): Promise<Probe> {
  const url = new URL(address);
  const isSecure = url.protocol === "https:";
  let stage: ConnectStage = isIP(url.hostname.replace(/[[\]]/g, "")) ? "connection" : "name";
  const stageAfterConnection: ConnectStage = isSecure ? "TLS" : "answer";
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method: "HEAD",
      agent: false,
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

/** Reports whether the probed service answers, and at which stage the connection failed. */
export function checkReachability(probe: Probe): Finding {
  const { origin, hostname } = new URL(probe.address);
  const what = `network ${origin}`;
  if (probe.reached) {
    const detail = `it answers with HTTP ${probe.status} after ${probe.milliseconds} ms`;
    if (probe.redirectsTo !== undefined) {
      const redirect = explainNetworkCause("redirect", hostname, probe.redirectsTo);
      return {
        what,
        state: "warn",
        detail: `${redirect.detail} (HTTP ${probe.status})`,
        remedy: redirect.remedy,
      };
    }
    if (probe.status < 500) return { what, state: "ok", detail };
    return { what, state: "warn", detail, remedy: "It is in trouble itself. Try again later." };
  }
  const cause = networkCauseOf(probe.code) ?? causeOfStage[probe.stage];
  const { detail, remedy } = explainNetworkCause(cause, hostname);
  return { what, state: "fail", detail: `${detail} (${probe.code})`, remedy };
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

const proxyVariables = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/** Warns about proxy variables, which are ignored. */
export function checkProxies(environment: NodeJS.ProcessEnv): Finding[] {
  const set = proxyVariables
    .flatMap((name) => [name, name.toLowerCase()])
    .filter((name) => (environment[name] ?? "") !== "");
  if (set.length === 0) return [];
  return [
    {
      what: "network",
      state: "warn",
      detail: `${set.join(", ")} ${set.length > 1 ? "are" : "is"} set, and Moonbridge uses no proxy`,
      remedy:
        "Where only a proxy leads out, set up a VPN or the system's routes, or a reverse proxy as baseUrl.",
    },
  ];
}

function failureCode(error: Error): string {
  if (error.name === "AbortError") return `nothing within ${limits.doctorProbe / 1_000} s`;
  return errorCode(error) ?? error.name;
}
