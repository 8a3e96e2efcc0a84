import { GatewayError } from "../../core/errors.js";
import type { TokenPair } from "../../core/token.js";
import { asObject, asText, type JsonObject } from "../../lib/json.js";
import { isForeignAnswer, pageRemedy } from "./errors.js";

/**
 * Sends a token refresh. Resolves to the new pair; to `refused`; or to `page` for a web page, which one endpoint sends
 * for a refused token (kimi-web.md §1.2) and networks with a sign-in page send for everything. Throws GatewayError for
 * any other failure: the token may still be valid.
 */
export async function refreshTokens(
  sendRefresh: () => Promise<JsonObject>,
): Promise<TokenPair | "refused" | "page"> {
  try {
    return parseTokenPair(await sendRefresh());
  } catch (error) {
    if (isForeignAnswer(error)) return "page";
    if (error instanceof GatewayError && isRefusal(error)) return "refused";
    throw error;
  }
}

/** The error for a web page in place of Kimi's response, which says nothing about the token. */
export function webPageError(): GatewayError {
  return new GatewayError(
    "upstream_unavailable",
    `A web page answered in place of Kimi's account service. ${pageRemedy}`,
  );
}

/** 401, 403, 404 and the error of a malformed token are refusals. */
function isRefusal(error: GatewayError): boolean {
  return (
    error.code === "account_login_required" ||
    error.code === "not_found" ||
    error.upstreamCode === "invalid_argument"
  );
}

function parseTokenPair(response: JsonObject): TokenPair {
  const body = asObject(response.data) ?? response;
  const accessToken = asText(body.accessToken) ?? asText(body.access_token);
  const refreshToken = asText(body.refreshToken) ?? asText(body.refresh_token);
  if (!accessToken) {
    throw new GatewayError("upstream_protocol", "Kimi answered a token refresh without an access token.");
  }
  return { accessToken, ...(refreshToken ? { refreshToken } : {}) };
}
