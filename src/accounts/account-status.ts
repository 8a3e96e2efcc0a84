import type { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { AccountStatus } from "../core/types.js";

const tokenLocation = "(F12 → Application → Local storage)";
const remedy = "and give them to “moonbridge login”, or put them into the config and restart Moonbridge.";
/** The messages below go to the user with `account_login_required`. */
export const noRefreshTokenMessage =
  "This Kimi account's access token has expired and there is no refresh token. " +
  `Copy access_token and refresh_token from Kimi's site ${tokenLocation} ${remedy}`;
export const refreshRefusedMessage =
  "Kimi refuses this account's refresh token: it has expired or you logged out on Kimi's site. " +
  `Log in there, copy access_token and refresh_token ${tokenLocation} ${remedy}`;
export const newTokenRefusedMessage =
  "Kimi refuses even the access token that it made a moment ago. Open Kimi's site and see that chatting works there; " +
  "Moonbridge tries again in half a minute.";
export const removedLoginMessage =
  "This account was removed from Moonbridge or has another name now. Send the request again.";

/** The values from which the status of an account is derived. */
export type CredentialState = {
  /** Whether the access token is valid by its claims. */
  isUsable: boolean;
  /** Whether there is a refresh token. */
  isRefreshable: boolean;
  /**
   * When the credentials expire unless refreshed, in milliseconds since the epoch; undefined if the tokens have no
   * expiry.
   */
  expiresAt: number | undefined;
  /** Why the last refresh failed. */
  lastError: GatewayError | undefined;
  /** When the refresh is tried again after a failure, in milliseconds since the epoch. */
  retryAt: number;
};

/** The account's state, with a text for the user on what to do. */
export function toAccountStatus({
  isUsable,
  isRefreshable,
  expiresAt,
  lastError,
  retryAt,
}: CredentialState): AccountStatus {
  if (lastError?.code === "account_login_required")
    return { state: "login required", detail: refreshRefusedMessage };
  if (!isRefreshable && !isUsable) return { state: "login required", detail: noRefreshTokenMessage };
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  if (!isRefreshable) return { state: "expiring", detail: accessTokenOnlyMessage, ...expiry };
  if (lastError && !isUsable) {
    const detail = `The login could not be renewed, which is tried again by itself. ${lastError.message}`;
    return { state: "unavailable", detail, until: retryAt };
  }
  if (expiresAt !== undefined && expiresAt - Date.now() < limits.credentialsExpiryWarning)
    return { state: "expiring", detail: endsSoonMessage, ...expiry };
  const retryNote = lastError ? ` The last try failed and is repeated: ${lastError.message}` : "";
  return { state: "ok", detail: `The login renews itself.${retryNote}`, ...expiry };
}

const accessTokenOnlyMessage = "There is no refresh token: the login ends when the access token expires.";
const endsSoonMessage =
  "The refresh token ends within days. A Moonbridge that runs renews it; if this stays, log in on Kimi's site again.";
