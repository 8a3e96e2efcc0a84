import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { isIP } from "node:net";
import { limits } from "../../core/limits.js";
import { errorCode } from "../../lib/error-code.js";
import { version } from "../../lib/version.js";
import type { Finding } from "./finding.js";

/** The result of a probe. `clockAhead`: milliseconds that this machine's clock is ahead; undefined without a `Date` header. */
export type Probe = { address: string } & (
  | { reached: true; status: number; milliseconds: number; clockAhead: number | undefined }
  | { reached: false; stage: ConnectStage; code: string }
);

type ConnectStage = "name" | "connection" | "TLS" | "answer";

/** Sends one HEAD request without credentials. Never rejects. */
export function probe(address: string, signal: AbortSignal): Promise<Probe> {
  const url = new URL(address);
  const isSecure = url.protocol === "https:";
  let stage: ConnectStage = isIP(url.hostname.replace(/[[\]]/g, "")) ? "connection" : "name";
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const asked = (isSecure ? overHttps : overHttp)(url, {
      method: "HEAD",
      agent: false,
      headers: { "user-agent": `Moonbridge/${version}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(limits.doctorProbe)]),
    });
    asked.on("socket", (socket) => {
      socket.once("lookup", (error) => {
        if (!error) stage = "connection";
      });
      socket.once("connect", () => {
        stage = isSecure ? "TLS" : "answer";
      });
      socket.once("secureConnect", () => {
        stage = "answer";
      });
    });
    asked.on("response", ({ statusCode = 0, headers }) => {
      const milliseconds = Date.now() - startedAt;
      const theirs = Date.parse(headers.date ?? "");
      // The server read its clock at about half the round trip.
      const ahead = startedAt + milliseconds / 2 - theirs;
      const clockAhead = Number.isFinite(ahead) ? ahead : undefined;
      resolve({ address, reached: true, status: statusCode, milliseconds, clockAhead });
      asked.destroy();
    });
    asked.on("error", (error) => resolve({ address, reached: false, stage, code: codeOf(error) }));
    asked.end();
  });
}

export function checkReachability(seen: Probe): Finding {
  const { origin, hostname } = new URL(seen.address);
  const what = `network ${origin}`;
  if (seen.reached) {
    const detail = `it answers with HTTP ${seen.status} after ${seen.milliseconds} ms`;
    if (seen.status < 500) return { what, state: "ok", detail };
    return { what, state: "warn", detail, remedy: "It is in trouble itself. Try again later." };
  }
  const { detail, remedy } = failures[seen.stage](hostname);
  return { what, state: "fail", detail: `${detail} (${seen.code})`, remedy };
}

const failures: Record<ConnectStage, (host: string) => { detail: string; remedy: string }> = {
  name: (host) => ({
    detail: `the name ${host} cannot be looked up`,
    remedy: "Check this machine's network and DNS, and the address in the config.",
  }),
  connection: (host) => ({
    detail: `${host} takes no connection`,
    remedy: "See whether a firewall or filter is in the way, and whether the address in the config is right.",
  }),
  TLS: (host) => ({
    detail: `there is no trustworthy TLS connection to ${host}`,
    remedy:
      "Set this machine's clock if it is wrong. Where a network inspects TLS, NODE_EXTRA_CA_CERTS names its certificate.",
  }),
  answer: (host) => ({
    detail: `${host} takes the connection and does not answer`,
    remedy: "Try again later, and see whether it works in a browser on this machine.",
  }),
};

/** Compares this machine's clock with the first service that sent a `Date` header. */
export function checkClock(seen: readonly Probe[]): Finding[] {
  const what = "clock";
  const told = seen.find((each) => each.reached && each.clockAhead !== undefined);
  if (!told?.reached || told.clockAhead === undefined) return [];
  const { hostname } = new URL(told.address);
  const seconds = Math.round(told.clockAhead / 1_000);
  if (Math.abs(told.clockAhead) <= limits.doctorClockSkew)
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

function codeOf(error: Error): string {
  if (error.name === "AbortError") return `nothing within ${limits.doctorProbe / 1_000} s`;
  return errorCode(error) ?? error.name;
}
