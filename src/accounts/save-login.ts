import { GatewayError } from "../core/errors.js";
import type { KimiSite } from "../core/kimi-site.js";
import type { CredentialStore } from "../core/store.js";
import type { TokenPair } from "../core/token.js";
import { acquireAccountLock, lockedElsewhereMessage } from "./account-lock.js";
import { keepRefreshToken, startedFromLogin } from "./token-precedence.js";

/**
 * Stores a login as the credentials of `account`; processes that use the account adopt it. An access token alone keeps
 * the refresh token that is stored for its user on the same site. Resolves to whether one was kept. Throws the store's
 * error, and `upstream_unavailable` while another process goes on renewing the stored tokens.
 */
export async function saveLogin(
  store: CredentialStore,
  account: string,
  { tokens, site }: { tokens: TokenPair; site: KimiSite },
): Promise<boolean> {
  const save = async (login: ReturnType<typeof keepRefreshToken>, fence?: number) => {
    const firstName = (await store.findCredentials(account))?.firstName;
    const name = firstName === undefined ? {} : { firstName };
    const row = { ...login, startedFrom: startedFromLogin, savedAt: Date.now(), site, ...name };
    return store.saveCredentials(account, row, fence);
  };
  if (tokens.refreshToken) {
    await save({ current: tokens });
    return false;
  }
  // Otherwise a refresh between reading and writing would leave a used refresh token in the store.
  const { fence, release } = await acquireAccountLock(store, account);
  try {
    const stored = await store.findCredentials(account);
    const isSameSite = stored?.site === undefined || stored.site.authUrl === site.authUrl;
    const login = keepRefreshToken(tokens, isSameSite ? stored : undefined);
    if (!(await save(login, fence))) throw new GatewayError("upstream_unavailable", lockedElsewhereMessage);
    return login.current.refreshToken !== undefined;
  } finally {
    await release();
  }
}
