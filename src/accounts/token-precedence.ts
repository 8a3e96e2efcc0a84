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
  const [storedClaims, configuredClaims] = [decodeClaims(storedToken), decodeClaims(configuredToken)];
  const issuedLaterBy = (storedClaims.issuedAt ?? Number.NaN) - (configuredClaims.issuedAt ?? Number.NaN);
  return stored.startedFrom === startedFromLogin
    ? !(issuedLaterBy < 0)
    : storedClaims.subject === configuredClaims.subject && issuedLaterBy > 0;
}

/** The token that identifies a pair: the refresh token if there is one. */
export function primaryToken(pair: TokenPair): string | undefined {
  return pair.refreshToken ?? pair.accessToken;
}

/** A short one-way identifier of a pair. */
export function pairFingerprint(pair: TokenPair): string {
  return fingerprint(primaryToken(pair) ?? "");
}
