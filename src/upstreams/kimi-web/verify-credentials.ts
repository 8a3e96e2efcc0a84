import type { KimiUser, VerifyCredentials } from "../../admin/import-account.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { decodeClaims } from "../../core/token.js";
import { asObject, asText } from "../../lib/json.js";
import { ProtocolDrift } from "../../observability/protocol-drift.js";
import type { ChooseProxy } from "../../proxy/proxy-rules.js";
import { KimiClient } from "./client.js";
import { isRejectedAccessToken } from "./errors.js";
import { createTokenRefresher } from "./token-refresher.js";

const refusedRefreshToken =
  "Kimi refuses this refresh token: it has expired, was renewed elsewhere, or its owner logged out. Log in on Kimi's " +
  "site and copy access_token and refresh_token anew.";
const noRefreshToken =
  "Kimi refuses this access token, and there is no refresh token to make another. Log in on Kimi's site and copy " +
  "access_token and refresh_token anew.";

/**
 * Verifies tokens by fetching the user they belong to (kimi-web.md §2.10), through the proxy that `chooseProxy` gives.
 * Refreshes them first if the access token is missing, expired or rejected. Throws GatewayError if Kimi refuses them or
 * cannot be reached.
 */
export const credentialsVerifier =
  (chooseProxy: ChooseProxy): VerifyCredentials =>
  async (tokens, options, onRefreshed, signal) => {
    const client = new KimiClient({ ...options, idleTimeout: limits.unary }, new ProtocolDrift(), {
      chooseProxy,
    });
    const refreshAndFetchUser = async () => {
      if (!tokens.refreshToken) throw new GatewayError("account_login_required", noRefreshToken);
      const pair = await createTokenRefresher(client)(tokens.refreshToken, signal);
      if (pair === "refused" || !pair.accessToken)
        throw new GatewayError("account_login_required", refusedRefreshToken);
      await onRefreshed({ refreshToken: tokens.refreshToken, ...pair });
      return fetchCurrentUser(client, pair.accessToken, signal);
    };
    try {
      if (!isUnexpired(tokens.accessToken)) return await refreshAndFetchUser();
      return await fetchCurrentUser(client, tokens.accessToken, signal).catch((error: unknown) => {
        if (isRejectedAccessToken(error)) return refreshAndFetchUser();
        throw error;
      });
    } finally {
      await client.close();
    }
  };

/** Fetches the user that an access token belongs to (kimi-web.md §2.10). Throws GatewayError. */
export async function fetchCurrentUser(
  client: KimiClient,
  token: string,
  signal: AbortSignal,
): Promise<KimiUser> {
  const method = "kimi.gateway.account.v1.UserService/GetCurrentUser";
  const user = asObject((await client.call(method, {}, token, signal)).user);
  const id = asText(user?.id);
  if (id === undefined)
    throw new GatewayError("upstream_protocol", "Kimi did not say whose login this is.", {
      upstreamCode: "no_user",
    });
  return { id, nickname: asText(user?.nickname) };
}

function isUnexpired(token: string | undefined): token is string {
  return token !== undefined && (decodeClaims(token).expiresAt ?? Infinity) > Date.now();
}
