import type { TokenPair } from "../accounts/token.js";
import { ChatError } from "../chat/errors.js";
import { type JsonObject, object, text } from "../json.js";

/** The pair that a refresh answers with, or that it was refused. Throws where it could not say yes or no. */
export async function exchange(call: () => Promise<JsonObject>): Promise<TokenPair | "refused"> {
  try {
    return readPair(await call());
  } catch (error) {
    if (error instanceof ChatError && isRefusal(error)) return "refused";
    throw error;
  }
}

/** 401, 403, 404 and a malformed-token answer say no; an interstitial page counts as no too (kimi-web.md §1.2). */
function isRefusal(error: ChatError): boolean {
  if (error.upstreamCode === "not_json") return true;
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
