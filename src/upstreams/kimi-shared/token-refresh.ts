import { GatewayError } from "../../core/errors.js";
import type { TokenPair } from "../../core/token.js";
import { asObject, asText, type JsonObject } from "../../lib/json.js";
import { notJsonCode } from "./errors.js";

/**
 * The pair that a refresh answers with; that it was refused; or that a web page answered, which one endpoint does for
 * a refused token (kimi-web.md §1.2) and networks with a sign-in page do for everything. Throws where it could not say.
 */
export async function exchange(call: () => Promise<JsonObject>): Promise<TokenPair | "refused" | "page"> {
  try {
    return readPair(await call());
  } catch (error) {
    if (error instanceof GatewayError && error.upstreamCode === notJsonCode) return "page";
    if (error instanceof GatewayError && isRefusal(error)) return "refused";
    throw error;
  }
}

/** Nobody at Kimi has said anything about the token. */
export function pageInstead(): GatewayError {
  return new GatewayError(
    "upstream_unavailable",
    "A web page answered in place of Kimi's account service. See whether this network has a sign-in page or a filter, " +
      "and whether Kimi's site works in a browser.",
  );
}

/** 401, 403, 404 and a malformed-token answer say no. */
function isRefusal(error: GatewayError): boolean {
  return (
    error.code === "account_login_required" ||
    error.code === "not_found" ||
    error.upstreamCode === "invalid_argument"
  );
}

function readPair(answer: JsonObject): TokenPair {
  const body = asObject(answer.data) ?? answer;
  const accessToken = asText(body.accessToken) ?? asText(body.access_token);
  const refreshToken = asText(body.refreshToken) ?? asText(body.refresh_token);
  if (!accessToken) {
    throw new GatewayError("upstream_protocol", "Kimi answered a token refresh without an access token.");
  }
  return { accessToken, ...(refreshToken ? { refreshToken } : {}) };
}
