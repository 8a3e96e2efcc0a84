import { formatTimeWithDistance } from "../../lib/relative-time.js";
import { whereTokensAre } from "./formats.js";
import type { Login } from "./import-login.js";

/** What was recognised, what is missing and where to find it, a line each. Holds nothing secret. */
export function describe(login: Login, now = Date.now()): string[] {
  return [
    `Found ${whatIn(login)}${login.format === "text" ? "" : ` in ${login.format}`}:`,
    `  site           ${login.site}${login.siteAssumed ? " (nothing says so; it is the usual one)" : ""}`,
    `  user           ${login.user ?? "unknown"}`,
    ...expiry("access token", login.accessExpiresAt, now),
    ...expiry("refresh token", login.refreshExpiresAt, now),
    ...missing(login),
    ...remarks(login),
  ];
}

function whatIn({ tokens, generation }: Login): string {
  if (generation === "cookie") return "the 30-day token of a kimi-auth cookie";
  if (!tokens.refreshToken) return "an access token";
  const refreshToken = generation === "legacy" ? "an older refresh token" : "a refresh token";
  return tokens.accessToken ? `an access token and ${refreshToken}` : refreshToken;
}

function expiry(name: string, at: number | undefined, now: number): string[] {
  if (at === undefined) return [];
  const words =
    at === Infinity ? "does not say when it expires" : `expires ${formatTimeWithDistance(at, now)}`;
  return [`  ${name.padEnd(13)}  ${words}`];
}

function missing({ tokens, generation, accessExpired }: Login): string[] {
  if (generation === "cookie") {
    return [
      "No refresh token belongs to this cookie, so the login ends with it, and Kimi may refuse it sooner. Today's " +
        `logins renew themselves. ${whereTokensAre}`,
    ];
  }
  if (!tokens.refreshToken) {
    return [`The refresh token is missing: the login ends when the access token expires. ${whereTokensAre}`];
  }
  if (tokens.accessToken) return [];
  const why = accessExpired ? "The access token has expired" : "There is no access token";
  return [`${why}; that does no harm, the refresh token makes a new one.`];
}

function remarks({ generation, leftOut, broken, clockBehind }: Login): string[] {
  const lines: string[] = [];
  if (generation === "legacy") {
    lines.push(
      "This refresh token was issued by the older site. Kimi may no longer renew it; it then serves an upstream of " +
        `"kind": "kimi-legacy" at best. ${whereTokensAre}`,
    );
  }
  if (leftOut.length > 0) lines.push(`Left out: tokens of another user (${leftOut.join(", ")}).`);
  if (broken) lines.push("Left out: a token that was not copied whole.");
  if (clockBehind) lines.push("This token was issued in the future: is the clock of this machine right?");
  return lines;
}
