import type { KimiSiteName } from "../../core/kimi-site.js";
import { limits } from "../../core/limits.js";
import type { TokenPair } from "../../core/token.js";
import { pasteMessages } from "../../i18n/paste-messages.js";
import type { LocalizedText } from "../../i18n/text.js";
import { classifyTokens } from "./classify-tokens.js";
import { explainFailure } from "./explain-failure.js";
import { detectPasteFormat } from "./paste-format.js";
import type { KimiToken } from "./token-owner.js";

/** The login found in a paste, or why there is none. Only `tokens` is secret. */
export type ImportResult = ImportedLogin | { kind: "nothing"; problem: LocalizedText };

/** Credentials of Kimi's web chat. Times are milliseconds since the epoch, Infinity for a token without an expiry. */
export type ImportedLogin = {
  kind: "login";
  /** The kind of text that contained the tokens, such as `a HAR file`. */
  format: LocalizedText;
  /** Unexpired tokens of one user. */
  tokens: TokenPair;
  user: string | undefined;
  site: KimiSiteName;
  /** True if `site` is only the default: neither the tokens nor the surrounding text name it. */
  isSiteAssumed: boolean;
  generation: Generation;
  accessExpiresAt: number | undefined;
  refreshExpiresAt: number | undefined;
  /** True if the refresh token is no JWT, and is taken for one only because of the field that it stands in. */
  isRefreshTokenOpaque: boolean;
  /** True if the paste has access tokens of this user but all of them have expired. */
  hasExpiredAccessToken: boolean;
  /** Ids of other users with tokens in the paste; those tokens are ignored. */
  otherUsers: readonly string[];
  /** True if the paste also contains an incomplete token. */
  hasTruncatedToken: boolean;
  /** True if the newest token was issued in the future according to this machine's clock. */
  isClockBehind: boolean;
};

/**
 * Generation of Kimi's login (kimi-web.md §2.3, §1.2): `pair` can be refreshed for 90 days; `cookie` is the older
 * site's 30-day access token, which cannot be refreshed; `legacy` is the older site's refresh token, which Kimi may
 * refuse.
 */
type Generation = "pair" | "cookie" | "legacy";

const clockTolerance = 5 * 60_000;

/**
 * Finds the login in pasted text: bare tokens, cookies, Local storage, a request copied from the browser, a HAR file, a
 * configuration. Picks the newest tokens of the user who owns the newest valid one. Never throws.
 */
export function importLogin(pasted: string, now = Date.now()): ImportResult {
  if (Buffer.byteLength(pasted) > limits.pasted) return { kind: "nothing", problem: pasteMessages.tooLarge };
  const found = classifyTokens(pasted);
  const { kimi, truncated, opaqueRefreshToken } = found;
  const valid = kimi.filter(({ expiresAt }) => expiresAt > now);
  const newest = valid[0];
  if (!newest && !opaqueRefreshToken) return { kind: "nothing", problem: explainFailure(pasted, found, now) };

  // An opaque refresh token says nothing of its user; an expired token beside it does.
  const user = (newest ?? kimi[0])?.user;
  const sameUser = kimi.filter((token) => token.user === user);
  const access = valid.find((token) => token.kind === "access" && token.user === user);
  const refresh = valid.find((token) => token.kind === "refresh" && token.user === user);
  const refreshToken = refresh?.token ?? opaqueRefreshToken;
  const isRefreshTokenOpaque = !refresh && refreshToken !== undefined;
  const site = [refresh, access, ...sameUser].map((token) => token?.site).find((name) => name !== undefined);
  const siteName = site ?? findSiteName(pasted);
  return {
    kind: "login",
    format: detectPasteFormat(pasted).name,
    tokens: {
      ...(access ? { accessToken: access.token } : {}),
      ...(refreshToken ? { refreshToken } : {}),
    },
    user,
    site: siteName ?? "kimi.com",
    isSiteAssumed: siteName === undefined,
    generation: detectGeneration(access, refresh, isRefreshTokenOpaque),
    accessExpiresAt: access?.expiresAt,
    refreshExpiresAt: refresh?.expiresAt,
    isRefreshTokenOpaque,
    hasExpiredAccessToken: !access && sameUser.some(({ kind }) => kind === "access"),
    otherUsers: [...new Set(kimi.map((token) => token.user ?? "unknown"))].filter(
      (other) => other !== (user ?? "unknown"),
    ),
    hasTruncatedToken: truncated.length > 0,
    isClockBehind: (newest?.issuedAt ?? 0) > now + clockTolerance,
  };
}

function detectGeneration(
  access: KimiToken | undefined,
  refresh: KimiToken | undefined,
  hasOpaqueRefreshToken: boolean,
): Generation {
  if (refresh) return refresh.isLegacy ? "legacy" : "pair";
  return access?.isLegacy && !hasOpaqueRefreshToken ? "cookie" : "pair";
}

/** The site named by addresses and cookie domains around the tokens, if they name exactly one. */
function findSiteName(pasted: string): KimiSiteName | undefined {
  const [com, ai] = [pasted.includes("kimi.com"), pasted.includes("kimi.ai")];
  if (com === ai) return undefined;
  return com ? "kimi.com" : "kimi.ai";
}
