import type { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { AccountStatus } from "../core/types.js";

const where = "(F12 → Application → Local storage)";
const whatToDo = "and give them to “moonbridge login”, or put them into the config and restart Moonbridge.";
export const noRefreshToken =
  "This Kimi account's access token has expired and there is no refresh token. " +
  `Copy access_token and refresh_token from Kimi's site ${where} ${whatToDo}`;
export const refusedLogin =
  "Kimi refuses this account's refresh token: it has expired or you logged out on Kimi's site. " +
  `Log in there, copy access_token and refresh_token ${where} ${whatToDo}`;
export const refusedNewToken =
  "Kimi refuses even the access token that it made a moment ago. Open Kimi's site and see that chatting works there; " +
  "Moonbridge tries again in half a minute.";

/** What is known of a login. */
export type LoginFacts = {
  /** The access token is good by its own words. */
  serves: boolean;
  renewable: boolean;
  /** When the login ends unless it is renewed, if its tokens say. */
  endsAt: number | undefined;
  /** Why the last attempt to renew it failed. */
  setback: GatewayError | undefined;
  triesAgainAt: number;
};

/** The state of a login, with the next thing to do. */
export function accountState({
  serves,
  renewable,
  endsAt,
  setback,
  triesAgainAt,
}: LoginFacts): AccountStatus {
  if (setback?.code === "account_login_required") return { state: "login required", detail: refusedLogin };
  if (!renewable && !serves) return { state: "login required", detail: noRefreshToken };
  const expiresAt = endsAt === undefined ? {} : { expiresAt: endsAt };
  if (!renewable) return { state: "expiring", detail: endsWithToken, ...expiresAt };
  if (setback && !serves) {
    const detail = `The login could not be renewed, which is tried again by itself. ${setback.message}`;
    return { state: "unavailable", detail, until: triesAgainAt };
  }
  if (endsAt !== undefined && endsAt - Date.now() < limits.loginEndsSoon)
    return { state: "expiring", detail: endsSoon, ...expiresAt };
  const tried = setback ? ` The last try failed and is repeated: ${setback.message}` : "";
  return { state: "ok", detail: `The login renews itself.${tried}`, ...expiresAt };
}

const endsWithToken = "There is no refresh token: the login ends when the access token expires.";
const endsSoon =
  "The refresh token ends within days. A Moonbridge that runs renews it; if this stays, log in on Kimi's site again.";
