import { type KimiSiteName, kimiSiteFromToken } from "../../core/kimi-site.js";
import { decodeClaims } from "../../core/token.js";

/** A token of Kimi's web chat. Times are milliseconds since the epoch. */
export type KimiToken = {
  token: string;
  kind: "access" | "refresh";
  /** The user's id; undefined if the token has none, or none that is safe to print. */
  user: string | undefined;
  issuedAt: number;
  /** Infinity if the token has no expiry. */
  expiresAt: number;
  /** Undefined if the token does not name the site; tokens of the older site do not (kimi-web.md §2.3). */
  site: KimiSiteName | undefined;
  /** Issued by the older site: its access token is the 30-day cookie, its refresh token is for the legacy endpoint. */
  isLegacy: boolean;
};

/** A token that the web chat does not accept. */
export type ForeignToken = { owner: "Google" | "OpenAI" | "Kimi, for another purpose" | "another service" };

/** The largest time that Date can represent. */
const maxDateMs = 8.64e15;

/** Classifies a token by its claims: those of the web chat have `app_id: "kimi"` and a `typ` (kimi-web.md §2.3). */
export function identifyTokenOwner(token: string): KimiToken | ForeignToken {
  const claims = decodeClaims(token);
  const isFromKimi = claims.issuer === "user-center" || claims.issuer === "account" || claims.app === "kimi";
  if (!isFromKimi) return { owner: identifyForeignOwner(claims.issuer ?? "") };
  const { kind } = claims;
  if ((claims.app ?? "kimi") !== "kimi" || (kind !== "access" && kind !== "refresh"))
    return { owner: "Kimi, for another purpose" };
  return {
    token,
    kind,
    user: /^[\w.@-]{1,64}$/.test(claims.subject ?? "") ? claims.subject : undefined,
    issuedAt: claims.issuedAt ?? 0,
    expiresAt:
      Math.abs(claims.expiresAt ?? Infinity) <= maxDateMs ? (claims.expiresAt ?? Infinity) : Infinity,
    site: kimiSiteFromToken(token),
    isLegacy: claims.issuer === "user-center",
  };
}

function identifyForeignOwner(issuer: string): ForeignToken["owner"] {
  if (/(^|[/.])google\.com$/.test(issuer)) return "Google";
  if (/(^|[/.])openai\.com\/?$/.test(issuer)) return "OpenAI";
  return "another service";
}
