import { decodeClaims } from "./token.js";

/** Kimi's two sites. Credentials are valid on one of them. */
export type KimiSiteName = (typeof sites)[number];

const sites = ["kimi.com", "kimi.ai"] as const;

/** The base URLs of a site and of the account gateway that refreshes its tokens (kimi-web.md §0.1). */
export type KimiSite = { baseUrl: string; authUrl: string };

/** The site in a token's audience; undefined for tokens of the older site, which name none (kimi-web.md §2.3). */
export function kimiSiteFromToken(token: string): KimiSiteName | undefined {
  const { audience } = decodeClaims(token);
  return sites.find((site) => audience.includes(site));
}

/**
 * The URLs of a site; `overrides` are those of a mirror or simulator. A base URL of the other site selects its
 * `authUrl`.
 */
export function kimiSite(
  site: KimiSiteName,
  overrides: { baseUrl?: string; authUrl?: string } = {},
): KimiSite {
  const baseUrl = overrides.baseUrl ?? `https://www.${site}`;
  const siteInBaseUrl = /(^|\.)(kimi\.(?:com|ai))$/.exec(new URL(baseUrl).hostname)?.[2];
  return { baseUrl, authUrl: overrides.authUrl ?? `https://auth.${siteInBaseUrl ?? site}` };
}
