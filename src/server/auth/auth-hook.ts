import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../../core/errors.js";
import type { Scope } from "../../core/types.js";
import type { Throttle } from "../rate-limit.js";
import type { KeyLimits } from "./api-keys.js";
import type { Entrance } from "./authenticator.js";
import type { Attempts } from "./failed-login-limiter.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The limits of the key that the request came with. */
    keyLimits: KeyLimits;
  }
}

/** Lets in who has a key or token of this server, and says what a limited key has left. Throws `invalid_api_key`. */
export function guard(entrance: Entrance, attempts: Attempts, throttle: Throttle) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const credential = presentedCredential(request);
    if (credential === undefined) throw missing(request);
    const visitor = await attempts.check(request, () => entrance.identify(credential));
    request.caller = visitor.caller;
    request.keyLimits = visitor.limits;
    reply.headers(throttle.headers(visitor.caller.keyName, visitor.limits));
  };
}

/** Lets on only whose key has this scope. Throws `insufficient_scope`. */
export function scoped(scope: Scope) {
  return async ({ caller }: FastifyRequest): Promise<void> => {
    if (caller.scopes.includes(scope)) return;
    const message = `This key lacks the scope “${scope}”. “moonbridge keys list” shows the scopes of each key.`;
    throw new GatewayError("insufficient_scope", message);
  };
}

/** Clients put the key in different places (clients.md row 3); never in the URL. */
function presentedCredential({ headers }: FastifyRequest): string | undefined {
  const candidates = [headers.authorization, headers["x-api-key"], headers["api-key"]].flat();
  const value = candidates.find((candidate) => candidate !== undefined && candidate.trim() !== "");
  return value?.trim().replace(/^bearer\s+/i, "");
}

function missing({ query }: FastifyRequest): GatewayError {
  const inAddress = Object.keys(Object(query)).some((name) =>
    /^(key|token|(access|auth)_token|api_?key)$/i.test(name),
  );
  const message = inAddress
    ? "A key in an address is not read, since addresses end up in logs. Send it as “Authorization: Bearer <key>”."
    : "An API key is missing. Send it as “Authorization: Bearer <key>”; Moonbridge printed one at its first start.";
  return new GatewayError("invalid_api_key", message);
}
