import { formatTimeWithDistance } from "../../lib/relative-time.js";
import type { ImportedLogin } from "./import-login.js";
import { tokenLocationHelp } from "./paste-format.js";

/**
 * Lines of text for the user: what was found, what is missing and where it can be found. Contains no part of a token.
 */
export function describeImport(login: ImportedLogin, now = Date.now()): string[] {
  return [
    `Found ${summarizeTokens(login)}${login.format === "text" ? "" : ` in ${login.format}`}:`,
    `  site           ${login.site}${login.isSiteAssumed ? " (nothing says so; it is the usual one)" : ""}`,
    `  user           ${login.user ?? "unknown"}`,
    ...expiryLines("access token", login.accessExpiresAt, now),
    ...expiryLines("refresh token", login.refreshExpiresAt, now),
    ...missingTokenLines(login),
    ...warningLines(login),
  ];
}

function summarizeTokens({ tokens, generation }: ImportedLogin): string {
  if (generation === "cookie") return "the 30-day token of a kimi-auth cookie";
  if (!tokens.refreshToken) return "an access token";
  const refreshToken = generation === "legacy" ? "an older refresh token" : "a refresh token";
  return tokens.accessToken ? `an access token and ${refreshToken}` : refreshToken;
}

function expiryLines(name: string, expiresAt: number | undefined, now: number): string[] {
  if (expiresAt === undefined) return [];
  const expiry =
    expiresAt === Infinity
      ? "does not say when it expires"
      : `expires ${formatTimeWithDistance(expiresAt, now)}`;
  return [`  ${name.padEnd(13)}  ${expiry}`];
}

function missingTokenLines({ tokens, generation, hasExpiredAccessToken }: ImportedLogin): string[] {
  if (generation === "cookie") {
    return [
      "No refresh token belongs to this cookie, so the login ends with it, and Kimi may refuse it sooner. Today's " +
        `logins renew themselves. ${tokenLocationHelp}`,
    ];
  }
  if (!tokens.refreshToken) {
    return [
      `The refresh token is missing: the login ends when the access token expires. ${tokenLocationHelp}`,
    ];
  }
  if (tokens.accessToken) return [];
  const reason = hasExpiredAccessToken ? "The access token has expired" : "There is no access token";
  return [`${reason}; that does no harm, the refresh token makes a new one.`];
}

function warningLines(login: ImportedLogin): string[] {
  const { generation, isRefreshTokenOpaque, otherUsers, hasTruncatedToken, isClockBehind } = login;
  const lines: string[] = [];
  if (isRefreshTokenOpaque) {
    lines.push(
      "The refresh token has another form than Kimi's; it is kept because of the field it stands in.",
    );
  }
  if (generation === "legacy") {
    lines.push(
      "This refresh token was issued by the older site. Kimi may no longer renew it; it then serves an upstream of " +
        `"kind": "kimi-legacy" at best. ${tokenLocationHelp}`,
    );
  }
  if (otherUsers.length > 0) lines.push(`Left out: tokens of another user (${otherUsers.join(", ")}).`);
  if (hasTruncatedToken) lines.push("Left out: a token that was not copied whole.");
  if (isClockBehind) lines.push("This token was issued in the future: is the clock of this machine right?");
  return lines;
}
