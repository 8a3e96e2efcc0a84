import type { ProxyServer } from "../../proxy/proxy-server.js";
import type { Finding } from "./finding.js";
import type { Probe } from "./network.js";

/** The way from an upstream to one of its addresses. */
export type Route = { upstream: string; address: string; proxy: ProxyServer | undefined };

/**
 * One finding for each proxy: which upstreams it serves, and whether it answered one of the probes. Without probes only
 * the first. Why it failed is in the findings of the addresses.
 */
export function listProxies(routes: readonly Route[], probes?: readonly Probe[]): Finding[] {
  const labels = new Set(routes.flatMap(({ proxy }) => proxy?.label ?? []));
  return [...labels].map((label) => {
    const names = new Set(
      routes.filter(({ proxy }) => proxy?.label === label).map(({ upstream }) => upstream),
    );
    const what = `proxy ${label}`;
    const use = `it is used for ${[...names].join(", ")}`;
    if (!probes) return { what, state: "ok", detail: use };
    const hasOpened = probes.some((probe) => probe.proxy?.label === label && !("proxyError" in probe));
    return hasOpened
      ? { what, state: "ok", detail: `${use}, and it answers` }
      : { what, state: "fail", detail: `${use}, and it opened no connection`, remedy };
  });
}

const remedy = "The lines of the addresses below say why.";
