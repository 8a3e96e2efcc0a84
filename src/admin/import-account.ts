import type { ImportedLogin } from "../accounts/import/import-login.js";
import { saveLogin } from "../accounts/save-login.js";
import { GatewayError } from "../core/errors.js";
import { type KimiSite, kimiSite } from "../core/kimi-site.js";
import { limits } from "../core/limits.js";
import type { CredentialStore } from "../core/store.js";
import type { TokenPair } from "../core/token.js";

/** The owner of an account, as Kimi reports it. */
export type KimiUser = { id: string; nickname: string | undefined };

/**
 * Fetches the user that the tokens belong to, after a refresh if that is needed. `onRefreshed` is awaited before a
 * refreshed pair is used, since the old one may be invalid from then on. Throws GatewayError.
 */
export type VerifyCredentials = (
  tokens: TokenPair,
  options: KimiSite & { userAgent?: string },
  onRefreshed: (pair: TokenPair) => Promise<void>,
  signal: AbortSignal,
) => Promise<KimiUser>;

export type ImportAccountOptions = {
  /** Store without asking Kimi. */
  offline?: boolean;
  /** Override the site's addresses, for a mirror or a simulator. */
  baseUrl?: string;
  authUrl?: string;
  userAgent?: string;
};

/** `keptRefreshToken`: an access token alone was added to the refresh token that was stored for the same user. */
export type ImportAccountResult =
  /** Stored without verification. */
  | { kind: "stored-unverified"; keptRefreshToken: boolean }
  /** Verified and stored. `refreshed`: the stored pair is a refreshed one. */
  | { kind: "verified"; user: KimiUser; refreshed: boolean; keptRefreshToken: boolean }
  /** The refreshed pair is stored and valid, and a later step of the verification failed. */
  | { kind: "stored-after-failure"; error: GatewayError }
  /** Not stored: Kimi refused the tokens or could not be reached. */
  | { kind: "refused"; error: GatewayError };

/** Verifies a login with Kimi and stores it as the credentials of `account`. */
export async function importAccount(
  login: ImportedLogin,
  account: string,
  options: ImportAccountOptions,
  { store, verifyCredentials }: { store: CredentialStore; verifyCredentials: VerifyCredentials },
): Promise<ImportAccountResult> {
  const site = kimiSite(login.site, options);
  const save = (tokens: TokenPair) => saveLogin(store, account, { tokens, site });
  if (options.offline) return { kind: "stored-unverified", keptRefreshToken: await save(login.tokens) };
  let refreshed = false;
  const saveRefreshed = async (pair: TokenPair) => {
    await save(pair);
    refreshed = true;
  };
  try {
    const { userAgent } = options;
    const clientOptions = { ...site, ...(userAgent === undefined ? {} : { userAgent }) };
    const user = await verifyCredentials(
      login.tokens,
      clientOptions,
      saveRefreshed,
      AbortSignal.timeout(limits.loginVerification),
    );
    const keptRefreshToken = !refreshed && (await save(login.tokens));
    return { kind: "verified", user, refreshed, keptRefreshToken };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return refreshed ? { kind: "stored-after-failure", error } : { kind: "refused", error };
  }
}
