import { GatewayError } from "../../core/errors.js";
import type { KimiSite } from "../../core/kimi-site.js";
import { limits } from "../../core/limits.js";
import { decodeClaims, type TokenPair } from "../../core/token.js";
import { asObject, asText } from "../../lib/json.js";
import { Drift } from "../../observability/protocol-drift.js";
import { KimiClient } from "./client.js";
import { isExpiredLogin } from "./errors.js";
import { refreshWith } from "./refresh.js";

/** Whose login it is, by Kimi's word. */
export type KimiUser = { id: string; nickname: string | undefined };

/** Called with a renewed pair before it is used: from then on only that pair is sure to be good. */
export type Keep = (renewed: TokenPair) => Promise<void>;

const refused =
  "Kimi refuses this refresh token: it has expired, was renewed elsewhere, or its owner logged out. Log in on Kimi's " +
  "site and copy access_token and refresh_token anew.";
const noRefreshToken =
  "Kimi refuses this access token, and there is no refresh token to make another. Log in on Kimi's site and copy " +
  "access_token and refresh_token anew.";

/**
 * Asks Kimi whose login this is (kimi-web.md §2.10). Renews it first if the access token is missing, expired or
 * refused. Throws GatewayError where Kimi refuses it or cannot be asked.
 */
export async function verifyLogin(
  tokens: TokenPair,
  options: KimiSite & { userAgent?: string },
  keep: Keep,
  signal: AbortSignal,
): Promise<KimiUser> {
  const client = new KimiClient({ ...options, silence: limits.unary }, new Drift());
  const renew = async () => {
    if (!tokens.refreshToken) throw new GatewayError("account_login_required", noRefreshToken);
    const pair = await refreshWith(client)(tokens.refreshToken, signal);
    if (pair === "refused" || !pair.accessToken) throw new GatewayError("account_login_required", refused);
    await keep({ refreshToken: tokens.refreshToken, ...pair });
    return currentUser(client, pair.accessToken, signal);
  };
  try {
    if (!isValid(tokens.accessToken)) return await renew();
    return await currentUser(client, tokens.accessToken, signal).catch((error: unknown) => {
      if (isExpiredLogin(error)) return renew();
      throw error;
    });
  } finally {
    await client.close();
  }
}

/** Asks Kimi whose token this is (kimi-web.md §2.10). Throws GatewayError. */
export async function currentUser(client: KimiClient, token: string, signal: AbortSignal): Promise<KimiUser> {
  const method = "kimi.gateway.account.v1.UserService/GetCurrentUser";
  const user = asObject((await client.call(method, {}, token, signal)).user);
  const id = asText(user?.id);
  if (id === undefined)
    throw new GatewayError("upstream_protocol", "Kimi did not say whose login this is.", {
      upstreamCode: "no_user",
    });
  return { id, nickname: asText(user?.nickname) };
}

function isValid(token: string | undefined): token is string {
  return token !== undefined && (decodeClaims(token).expiresAt ?? Infinity) > Date.now();
}
