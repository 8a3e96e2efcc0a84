import type { Renew } from "../../accounts/credentials.js";
import { exchange, pageInstead } from "../kimi-shared/token-refresh.js";
import type { KimiClient } from "./client.js";

/**
 * Exchanges a refresh token at the account gateway, and at the legacy endpoint if the gateway does not know it
 * (kimi-web.md §2.3, §1.2). Throws where the gateway could not say yes or no and the legacy endpoint does not say yes.
 */
export function refreshWith(client: KimiClient): Renew {
  return async (refreshToken, signal) => {
    const method = "account.gateway.v1.AuthService/RefreshToken";
    const current = await exchange(() => client.callAuth(method, { refresh_token: refreshToken }, signal));
    if (typeof current === "object") return current;
    const legacy = await exchange(() => client.getLegacy("/api/auth/token/refresh", refreshToken, signal));
    if (current === "page" && typeof legacy === "string") throw pageInstead();
    return legacy === "page" ? "refused" : legacy;
  };
}
