import type { StoredCredentials } from "../core/store.js";
import { decodeClaims, fingerprint, type TokenPair } from "../core/token.js";

/** What `startedFrom` says of a pair that `moonbridge login` has stored, until it is renewed. */
export const byLogin = "login";

/**
 * Whether the stored pair is in force and not the configured one. It is when it came from the configured one, or when
 * it was issued later to the same user; another user's stored tokens never win. A pair that a person has stored with
 * `moonbridge login` wins unless the configured one was issued later.
 */
export function wins(stored: StoredCredentials, configured: TokenPair): boolean {
  const kept = newestToken(stored.current);
  if (kept === undefined) return false;
  const pasted = newestToken(configured);
  if (pasted === undefined || stored.startedFrom === nameOf(configured)) return true;
  const [theirs, ours] = [decodeClaims(kept), decodeClaims(pasted)];
  const later = (theirs.issuedAt ?? Number.NaN) - (ours.issuedAt ?? Number.NaN);
  return stored.startedFrom === byLogin ? !(later < 0) : theirs.subject === ours.subject && later > 0;
}

/** The token that says most of a login. */
export function newestToken(pair: TokenPair): string | undefined {
  return pair.refreshToken ?? pair.accessToken;
}

/** A short name for a login that tells nothing about it. */
export function nameOf(pair: TokenPair): string {
  return fingerprint(newestToken(pair) ?? "");
}
