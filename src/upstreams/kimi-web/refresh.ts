import type { Renew } from "../../accounts/credentials.js";
import type { TokenPair } from "../../accounts/token.js";
import { ChatError } from "../../chat/errors.js";
import { type JsonObject, object, text } from "../../json.js";
import type { KimiClient } from "./client.js";

/**
 * Exchanges a refresh token at the account gateway, and at the legacy endpoint if the gateway does not know it
 * (kimi-web.md §2.3, §1.2). Throws where the gateway could not say yes or no and the legacy endpoint does not say yes.
 */
export function refreshWith(client: KimiClient): Renew {
  return async (refreshToken, signal) => {
    const method = "account.gateway.v1.AuthService/RefreshToken";
    const current = await attempt(() => client.callAuth(method, { refresh_token: refreshToken }, signal));
    if (typeof current === "object") return current;
    const legacy = await attempt(() => client.getLegacy("/api/auth/token/refresh", refreshToken, signal));
    if (current === "page" && typeof legacy === "string") throw new ChatError("upstream_unavailable", page);
    return legacy === "page" ? "refused" : legacy;
  };
}

const page =
  "A web page answered in place of Kimi's account service. See whether this network has a sign-in page or a filter, " +
  "and whether Kimi's site works in a browser.";

async function attempt(call: () => Promise<JsonObject>): Promise<TokenPair | "refused" | "page"> {
  try {
    return readPair(await call());
  } catch (error) {
    if (error instanceof ChatError && error.upstreamCode === "not_json") return "page";
    if (error instanceof ChatError && isRefusal(error)) return "refused";
    throw error;
  }
}

/** 401, 403, 404 and a malformed-token answer say no. */
function isRefusal(error: ChatError): boolean {
  return (
    error.code === "account_login_required" ||
    error.code === "not_found" ||
    error.upstreamCode === "invalid_argument"
  );
}

function readPair(answer: JsonObject): TokenPair {
  const body = object(answer.data) ?? answer;
  const accessToken = text(body.accessToken) ?? text(body.access_token);
  const refreshToken = text(body.refreshToken) ?? text(body.refresh_token);
  if (!accessToken) {
    throw new ChatError("upstream_protocol", "Kimi answered a token refresh without an access token.");
  }
  return { accessToken, ...(refreshToken ? { refreshToken } : {}) };
}
