import type { KimiSiteName } from "../../core/kimi-site.js";
import { limits } from "../../core/limits.js";
import type { TokenPair } from "../../core/token.js";
import { findTokens } from "./find-tokens.js";
import { formatOf } from "./formats.js";
import { problemOf, tooLarge } from "./import-problem.js";
import { type ForeignToken, type KimiToken, whose } from "./token-owner.js";

/** What a paste turned out to be. Only `tokens` holds secrets. */
export type Intake = Login | { kind: "nothing"; problem: string };

/** A login of Kimi's web chat; times are milliseconds since the epoch, Infinity where a token does not say. */
export type Login = {
  kind: "login";
  /** What the tokens stood in, such as `a HAR file`. */
  format: string;
  /** Tokens that have not expired, of one user. */
  tokens: TokenPair;
  user: string | undefined;
  site: KimiSiteName;
  /** Neither the token nor anything around it names the site. */
  siteAssumed: boolean;
  generation: Generation;
  accessExpiresAt: number | undefined;
  refreshExpiresAt: number | undefined;
  /** There was an access token of this user, but its time is over. */
  accessExpired: boolean;
  /** Other users whose tokens stood there too. */
  leftOut: readonly string[];
  /** A further token was not copied whole. */
  broken: boolean;
  /** Tokens that this machine's clock takes for issued in the future. */
  clockBehind: boolean;
};

/**
 * Which of Kimi's logins it is (kimi-web.md §2.3, §1.2): `pair` renews itself for 90 days; `cookie` is the older site's
 * 30-day access token, which nothing renews; `legacy` is the older site's refresh token, which Kimi may no longer take.
 */
type Generation = "pair" | "cookie" | "legacy";

const clockTolerance = 5 * 60_000;

/**
 * Understands whatever a person pastes: tokens alone, cookies, Local storage, a request copied from the browser, a HAR
 * file, a configuration. Takes the newest tokens of the user to whom the newest one belongs. Never throws.
 */
export function recognise(pasted: string, now = Date.now()): Intake {
  if (Buffer.byteLength(pasted) > limits.pasted) return { kind: "nothing", problem: tooLarge };
  const { tokens, broken } = findTokens(pasted);
  const kimis: KimiToken[] = [];
  const foreign: ForeignToken[] = [];
  for (const token of tokens.map(whose)) {
    if ("owner" in token) foreign.push(token);
    else kimis.push(token);
  }
  const newestFirst = kimis.sort((a, b) => b.issuedAt - a.issuedAt);
  const valid = newestFirst.filter(({ expiresAt }) => expiresAt > now);
  const newest = valid[0];
  if (!newest)
    return { kind: "nothing", problem: problemOf(pasted, { expired: newestFirst, broken, foreign }, now) };

  const own = newestFirst.filter(({ user }) => user === newest.user);
  const access = valid.find(({ kind, user }) => kind === "access" && user === newest.user);
  const refresh = valid.find(({ kind, user }) => kind === "refresh" && user === newest.user);
  const site = [refresh, access].map((token) => token?.site).find((name) => name !== undefined);
  const named = site ?? siteNamedIn(pasted);
  return {
    kind: "login",
    format: formatOf(pasted).name,
    tokens: {
      ...(access ? { accessToken: access.token } : {}),
      ...(refresh ? { refreshToken: refresh.token } : {}),
    },
    user: newest.user,
    site: named ?? "kimi.com",
    siteAssumed: named === undefined,
    generation: generationOf(access, refresh),
    accessExpiresAt: access?.expiresAt,
    refreshExpiresAt: refresh?.expiresAt,
    accessExpired: !access && own.some(({ kind }) => kind === "access"),
    leftOut: [...new Set(kimis.map(({ user }) => user ?? "unknown"))].filter(
      (user) => user !== (newest.user ?? "unknown"),
    ),
    broken: broken.length > 0,
    clockBehind: newest.issuedAt > now + clockTolerance,
  };
}

function generationOf(access: KimiToken | undefined, refresh: KimiToken | undefined): Generation {
  if (refresh) return refresh.isOld ? "legacy" : "pair";
  return access?.isOld ? "cookie" : "pair";
}

/** The site that addresses and cookie domains around the tokens speak of, where they speak of one only. */
function siteNamedIn(pasted: string): KimiSiteName | undefined {
  const [com, ai] = [pasted.includes("kimi.com"), pasted.includes("kimi.ai")];
  if (com === ai) return undefined;
  return com ? "kimi.com" : "kimi.ai";
}
