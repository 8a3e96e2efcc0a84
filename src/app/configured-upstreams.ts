import type { UpstreamConfig } from "../config/upstream-settings.js";
import type { KimiSite } from "../core/kimi-site.js";
import type { Store } from "../core/store.js";
import { kimiWeb } from "../upstreams/kimi-web/kind.js";
import { simulator } from "../upstreams/simulator/kind.js";

/**
 * The upstreams to open: those of the configuration, else one for each account that `moonbridge login` stored, else
 * the simulator. A configured `kimi-web` upstream without `baseUrl` uses the site of its stored login.
 */
export async function configuredUpstreams(
  { upstreams }: { upstreams: readonly UpstreamConfig[] },
  store: Store,
): Promise<UpstreamConfig[]> {
  const sites = new Map<string, KimiSite>();
  for (const account of await store.listAccounts()) {
    const site = (await store.findCredentials(account))?.site;
    if (site) sites.set(account, site);
  }
  if (upstreams.length > 0) {
    return upstreams.map((upstream) =>
      kimiWeb.is(upstream) && !upstream.baseUrl ? { ...sites.get(upstream.name), ...upstream } : upstream,
    );
  }
  const logins = [...sites].map(([name, site]) => ({ name, kind: kimiWeb.kind, ...site }));
  return logins.length > 0 ? logins : [{ name: "simulator", kind: simulator.kind }];
}
