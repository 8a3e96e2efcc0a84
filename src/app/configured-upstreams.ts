import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-schema.js";
import type { KimiSite } from "../core/kimi-site.js";
import type { Store } from "../core/store.js";

/**
 * The upstreams to open: those of the configuration, else one for each account that `moonbridge login` stored, else
 * the simulator. A configured `kimi-web` upstream without `baseUrl` uses the site of its stored login.
 */
export async function configuredUpstreams({ upstreams }: Config, store: Store): Promise<UpstreamConfig[]> {
  const sites = new Map<string, KimiSite>();
  for (const account of await store.listAccounts()) {
    const site = (await store.findCredentials(account))?.site;
    if (site) sites.set(account, site);
  }
  if (upstreams.length > 0) {
    return upstreams.map((upstream) =>
      upstream.kind === "kimi-web" && !upstream.baseUrl
        ? { ...sites.get(upstream.name), ...upstream }
        : upstream,
    );
  }
  const logins = [...sites].map(([name, site]) => ({ name, kind: "kimi-web", ...site }) as const);
  return logins.length > 0 ? logins : [{ name: "simulator", kind: "simulator" }];
}
