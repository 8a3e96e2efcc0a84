import type { StoredCredentials } from "../core/store.js";
import { decodeClaims, fingerprint, type TokenPair } from "../core/token.js";

/** Value of `startedFrom` for a pair stored by `moonbridge login`, until its first refresh. */
export const startedFromLogin = "login";

/**
 * Whether the stored pair takes precedence over the configured one: if it descends from the configured pair, or was
 * issued later to the same user; tokens of another user never do. A pair stored by `moonbridge login` wins unless the
 * configured one was issued later.
 */
export function storedPairWins(stored: StoredCredentials, configured: TokenPair): boolean {
  const storedToken = primaryToken(stored.current);
  if (storedToken === undefined) return false;
  const configuredToken = primaryToken(configured);
  if (configuredToken === undefined || stored.startedFrom === pairFingerprint(configured)) return true;
  const [storedClaims, configuredClaims] = [pairClaims(stored.current), pairClaims(configured)];
  const issuedLaterBy = (storedClaims.issuedAt ?? Number.NaN) - (configuredClaims.issuedAt ?? Number.NaN);
  return stored.startedFrom === startedFromLogin
    ? !(issuedLaterBy < 0)
    : storedClaims.user === configuredClaims.user && issuedLaterBy > 0;
}

/**
 * The pair to use from now on instead of the stored one. An access token alone is given the refresh tokens stored for the
 * same user, without which the login would end with it.
 */
export function keepRefreshToken(
  pair: TokenPair,
  stored: StoredCredentials | undefined,
): Pick<StoredCredentials, "current" | "previous"> {
  const { user } = pairClaims(pair);
  if (pair.refreshToken || !stored || user === undefined || user !== pairClaims(stored.current).user)
    return { current: pair };
  const { current, previous } = stored;
  return {
    current: { ...pair, ...(current.refreshToken ? { refreshToken: current.refreshToken } : {}) },
    ...(previous ? { previous } : {}),
  };
}

/** Whose tokens these are and when Kimi issued them; the access token says so where the refresh token is no JWT. */
export function pairClaims({ refreshToken, accessToken }: TokenPair): {
  user: string | undefined;
  issuedAt: number | undefined;
} {
  const [refresh, access] = [decodeClaims(refreshToken ?? ""), decodeClaims(accessToken ?? "")];
  return { user: refresh.subject ?? access.subject, issuedAt: refresh.issuedAt ?? access.issuedAt };
}

/** Whether both have the same tokens. */
export function isSamePair(one: TokenPair, other: TokenPair): boolean {
  return one.accessToken === other.accessToken && one.refreshToken === other.refreshToken;
}

/** The token that identifies a pair: the refresh token if there is one. */
export function primaryToken(pair: TokenPair): string | undefined {
  return pair.refreshToken ?? pair.accessToken;
}

/** A short one-way identifier of a pair. */
export function pairFingerprint(pair: TokenPair): string {
  return fingerprint(primaryToken(pair) ?? "");
}
