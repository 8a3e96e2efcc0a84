import type { Renew } from "../../accounts/credentials.js";
import { exchange } from "../exchange.js";
import type { KimiClient } from "./client.js";

/**
 * Exchanges a refresh token at the account gateway, and at the legacy endpoint if the gateway does not know it
 * (kimi-web.md §2.3, §1.2). Throws only where neither could say yes or no.
 */
export function refreshWith(client: KimiClient): Renew {
  return async (refreshToken, signal) => {
    const method = "account.gateway.v1.AuthService/RefreshToken";
    const current = await exchange(() => client.callAuth(method, { refresh_token: refreshToken }, signal));
    if (current !== "refused") return current;
    return exchange(() => client.getLegacy("/api/auth/token/refresh", refreshToken, signal));
  };
}
