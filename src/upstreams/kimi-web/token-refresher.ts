import type { RefreshTokens } from "../../accounts/credentials.js";
import { refreshTokens, webPageError } from "../kimi-shared/token-refresh.js";
import type { KimiClient } from "./client.js";

/**
 * Refreshes tokens at the account gateway, and at the legacy endpoint if the gateway refuses (kimi-web.md §2.3, §1.2).
 * Throws GatewayError if a call fails for another reason, or if the gateway's response was a web page and the legacy
 * endpoint returned no new pair: the token may still be valid then.
 */
export function createTokenRefresher(client: KimiClient): RefreshTokens {
  return async (refreshToken, signal) => {
    const method = "account.gateway.v1.AuthService/RefreshToken";
    const current = await refreshTokens(() =>
      client.callAuth(method, { refresh_token: refreshToken }, signal),
    );
    if (typeof current === "object") return current;
    const legacy = await refreshTokens(() =>
      client.getLegacy("/api/auth/token/refresh", refreshToken, signal),
    );
    if (current === "page" && typeof legacy === "string") throw webPageError();
    return legacy === "page" ? "refused" : legacy;
  };
}
