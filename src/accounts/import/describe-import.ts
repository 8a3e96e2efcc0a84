import { loginMessages } from "../../i18n/login-messages.js";
import { pasteFormats } from "../../i18n/paste-messages.js";
import { formatTimeWithDistance } from "../../i18n/relative-time.js";
import { joinSentences, type LocalizedText, untranslated } from "../../i18n/text.js";
import type { ImportedLogin } from "./import-login.js";

/** What was found in a paste. Contains no part of a token. */
export type ImportDescription = {
  summary: LocalizedText;
  rows: readonly { label: LocalizedText; value: LocalizedText }[];
  /** What is missing and where it can be found, and what was left out. */
  notes: readonly LocalizedText[];
};

export function describeImport(login: ImportedLogin, now = Date.now()): ImportDescription {
  const { rows, assumedSite, unknownUser } = loginMessages;
  const site = untranslated(login.site);
  return {
    summary: loginMessages.found(
      summarizeTokens(login),
      login.format === pasteFormats.plainText.name ? undefined : login.format,
    ),
    rows: [
      {
        label: rows.site,
        value: login.isSiteAssumed ? { en: site.en + assumedSite.en, zh: site.zh + assumedSite.zh } : site,
      },
      { label: rows.user, value: login.user === undefined ? unknownUser : untranslated(login.user) },
      ...expiryRows(rows.accessToken, login.accessExpiresAt, now),
      ...expiryRows(rows.refreshToken, login.refreshExpiresAt, now),
    ],
    notes: [...missingTokenNotes(login), ...warnings(login)],
  };
}

function summarizeTokens({ tokens, generation }: ImportedLogin): LocalizedText {
  if (generation === "cookie") return loginMessages.cookie;
  if (!tokens.refreshToken) return loginMessages.accessToken;
  const refreshToken = generation === "legacy" ? loginMessages.olderRefreshToken : loginMessages.refreshToken;
  return tokens.accessToken ? loginMessages.both(refreshToken) : refreshToken;
}

function expiryRows(label: LocalizedText, expiresAt: number | undefined, now: number) {
  if (expiresAt === undefined) return [];
  const value =
    expiresAt === Infinity
      ? loginMessages.noExpiry
      : loginMessages.expires(formatTimeWithDistance(expiresAt, now));
  return [{ label, value }];
}

function missingTokenNotes({ tokens, generation, hasExpiredAccessToken }: ImportedLogin): LocalizedText[] {
  const { cookieAlone, noRefreshToken, tokenLocation } = loginMessages;
  if (generation === "cookie") return [joinSentences(cookieAlone, tokenLocation)];
  if (!tokens.refreshToken) return [joinSentences(noRefreshToken, tokenLocation)];
  if (tokens.accessToken) return [];
  return [hasExpiredAccessToken ? loginMessages.expiredAccessToken : loginMessages.noAccessToken];
}

function warnings(login: ImportedLogin): LocalizedText[] {
  const { generation, isRefreshTokenOpaque, otherUsers, hasTruncatedToken, isClockBehind } = login;
  return [
    ...(isRefreshTokenOpaque ? [loginMessages.foreignForm] : []),
    ...(generation === "legacy" ? [joinSentences(loginMessages.olderSite, loginMessages.tokenLocation)] : []),
    ...(otherUsers.length > 0 ? [loginMessages.otherUsers(otherUsers.join(", "))] : []),
    ...(hasTruncatedToken ? [loginMessages.truncated] : []),
    ...(isClockBehind ? [loginMessages.clockBehind] : []),
  ];
}
