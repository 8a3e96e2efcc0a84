import type { FastifyRequest } from "fastify";
import { ChatError } from "../chat/errors.js";
import type { KeyRing } from "./keys.js";

/** Lets in who has a key of this server. Throws `invalid_api_key`; sets `request.caller`. */
export function guard(keys: KeyRing) {
  return async (request: FastifyRequest): Promise<void> => {
    const key = presentedKey(request);
    const caller = key === undefined ? undefined : keys.find(key);
    if (caller === undefined) throw refusal(key !== undefined);
    request.caller = caller;
  };
}

/** Clients put the key in different places (clients.md row 3); never in the URL. */
function presentedKey({ headers }: FastifyRequest): string | undefined {
  const candidates = [headers.authorization, headers["x-api-key"], headers["api-key"]].flat();
  const value = candidates.find((candidate) => candidate !== undefined && candidate.trim() !== "");
  return value?.trim().replace(/^bearer\s+/i, "");
}

function refusal(given: boolean): ChatError {
  const message = given
    ? "This API key does not open Moonbridge. Use the key it printed at its first start, or the token in its config.json."
    : "An API key is missing. Send it as “Authorization: Bearer <key>”; Moonbridge printed one at its first start.";
  return new ChatError("invalid_api_key", message);
}
