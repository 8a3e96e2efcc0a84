import { claims, type TokenPair } from "./token.js";

/** Kimi's two sites; a login belongs to one of them. */
export type SiteName = "kimi.com" | "kimi.ai";

/** The hosts of a login: the site, and the account gateway that renews (kimi-web.md §0.1). */
export type Site = { baseUrl: string; authUrl: string };

/** The site that a token was issued for; tokens for kimi.ai name it as their audience (kimi-web.md §2.3). */
export function siteOf(tokens: TokenPair): SiteName {
  return claims(tokens.refreshToken ?? tokens.accessToken ?? "").audience.includes("kimi.ai")
    ? "kimi.ai"
    : "kimi.com";
}

/** The hosts of a site; a mirror's or a simulator's where they are given. */
export function hostsOf(site: SiteName, given: { baseUrl?: string; authUrl?: string } = {}): Site {
  const baseUrl = given.baseUrl ?? `https://www.${site}`;
  const own = /(^|\.)(kimi\.(?:com|ai))$/.exec(new URL(baseUrl).hostname)?.[2];
  return { baseUrl, authUrl: given.authUrl ?? `https://auth.${own ?? site}` };
}
