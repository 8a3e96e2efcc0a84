import { type KimiSiteName, kimiSiteFromToken } from "../../core/kimi-site.js";
import { decodeClaims } from "../../core/token.js";

/** A token of Kimi's web chat. Times are milliseconds since the epoch. */
export type KimiToken = {
  token: string;
  kind: "access" | "refresh";
  /** Undefined where the token names none that can be shown. */
  user: string | undefined;
  issuedAt: number;
  /** Infinity where the token does not say. */
  expiresAt: number;
  /** Undefined where the token does not say: those of the older site do not (kimi-web.md §2.3). */
  site: KimiSiteName | undefined;
  /** Issued by the older site: its access token is the 30-day cookie, its refresh token is for the legacy endpoint. */
  isOld: boolean;
};

/** A token that is of no use for the web chat, by whose it is. */
export type ForeignToken = { owner: "Google" | "OpenAI" | "Kimi, for another purpose" | "another service" };

const latestDate = 8.64e15;

/** Kimi's web chat's tokens name the app `kimi` and their kind (kimi-web.md §2.3). */
export function whose(token: string): KimiToken | ForeignToken {
  const said = decodeClaims(token);
  const isKimis = said.issuer === "user-center" || said.issuer === "account" || said.app === "kimi";
  if (!isKimis) return { owner: otherOwner(said.issuer ?? "") };
  const { kind } = said;
  if ((said.app ?? "kimi") !== "kimi" || (kind !== "access" && kind !== "refresh"))
    return { owner: "Kimi, for another purpose" };
  return {
    token,
    kind,
    user: /^[\w.@-]{1,64}$/.test(said.subject ?? "") ? said.subject : undefined,
    issuedAt: said.issuedAt ?? 0,
    expiresAt: Math.abs(said.expiresAt ?? Infinity) <= latestDate ? (said.expiresAt ?? Infinity) : Infinity,
    site: kimiSiteFromToken(token),
    isOld: said.issuer === "user-center",
  };
}

function otherOwner(issuer: string): ForeignToken["owner"] {
  if (/(^|[/.])google\.com$/.test(issuer)) return "Google";
  if (/(^|[/.])openai\.com\/?$/.test(issuer)) return "OpenAI";
  return "another service";
}
