import { decodeClaims } from "./token.js";

/** Kimi's two sites; a login belongs to one of them. */
export type KimiSiteName = (typeof sites)[number];

const sites = ["kimi.com", "kimi.ai"] as const;

/** The hosts of a login: the site, and the account gateway that renews (kimi-web.md §0.1). */
export type KimiSite = { baseUrl: string; authUrl: string };

/** The site that a token names as its audience; those of the older site name none (kimi-web.md §2.3). */
export function kimiSiteFromToken(token: string): KimiSiteName | undefined {
  const { audience } = decodeClaims(token);
  return sites.find((site) => audience.includes(site));
}

/** The hosts of a site; a mirror's or a simulator's where they are given. */
export function kimiSite(site: KimiSiteName, given: { baseUrl?: string; authUrl?: string } = {}): KimiSite {
  const baseUrl = given.baseUrl ?? `https://www.${site}`;
  const own = /(^|\.)(kimi\.(?:com|ai))$/.exec(new URL(baseUrl).hostname)?.[2];
  return { baseUrl, authUrl: given.authUrl ?? `https://auth.${own ?? site}` };
}
