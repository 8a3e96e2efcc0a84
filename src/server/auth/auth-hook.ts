import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../../core/errors.js";
import type { StoredSession } from "../../core/session.js";
import type { Principal, Scope } from "../../core/types.js";
import type { RateLimiter } from "../rate-limit.js";
import type { KeyLimits } from "./api-keys.js";
import type { Authenticator } from "./authenticator.js";
import type { FailedLoginLimiter } from "./failed-login-limiter.js";
import { isLocalProgram } from "./local-program.js";
import { requireKnownHost, requireSameOrigin } from "./same-origin.js";
import { readSessionCookie } from "./session-cookie.js";
import type { Sessions } from "./sessions.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The limits of the key that the request came with. */
    keyLimits: KeyLimits;
    /** The session of the console whose cookie authenticated the request. */
    session: StoredSession | undefined;
  }
}

/** A program on this machine without a key. The name of an API key has no space, so that none is the same. */
const keylessPrincipal: Principal = { keyName: "no key", scopes: ["chat"] };

export type AuthHookOptions = {
  authenticator: Authenticator;
  failedLogins: FailedLoginLimiter;
  rateLimiter: RateLimiter;
  sessions: Sessions;
  /** The names of this machine that the console answers to; see `requireKnownHost`. */
  hosts: () => readonly string[];
  /** Whether programs on this machine may chat without a key now. */
  allowsKeyless: () => boolean;
};

/**
 * A Fastify hook that authenticates the request, sets `principal` and `keyLimits` on it, and adds the rate-limit
 * headers of a limited key. Throws `invalid_api_key`.
 */
export function authHook(options: AuthHookOptions) {
  const { authenticator, failedLogins, rateLimiter, allowsKeyless } = options;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const credential = presentedCredential(request);
    const authenticated =
      credential === undefined
        ? await findSession(request, options)
        : await failedLogins.check(request, () => authenticator.authenticate(credential));
    if (authenticated === undefined) {
      const keylessLoopback = allowsKeyless();
      if (!keylessLoopback || !isLocalProgram(request)) throw missingKeyError(request, keylessLoopback);
      request.principal = keylessPrincipal;
      request.keyLimits = {};
      return;
    }
    request.principal = authenticated.principal;
    request.keyLimits = authenticated.limits;
    reply.headers(rateLimiter.headers(authenticated.principal.keyName, authenticated.limits));
  };
}

/**
 * The session of the request's cookie, which is also set on it; undefined without one. Browsers send a cookie whichever page
 * asks, so the request must come from the console's own pages. Throws `origin_forbidden`, and `invalid_api_key` if the
 * session has ended.
 */
async function findSession(request: FastifyRequest, { sessions, hosts }: AuthHookOptions) {
  const secret = readSessionCookie(request);
  if (secret === undefined) return undefined;
  requireKnownHost(request, hosts());
  requireSameOrigin(request);
  const found = await sessions.find(secret);
  if (!found)
    throw new GatewayError("invalid_api_key", "This session of the console has ended. Log in again.");
  request.session = found.session;
  return found;
}

/** A Fastify hook that requires a scope of the authenticated key. Throws `insufficient_scope`. */
export function requireScope(scope: Scope) {
  return async ({ principal }: FastifyRequest): Promise<void> => {
    if (principal.scopes.includes(scope)) return;
    const message =
      principal === keylessPrincipal
        ? `This needs an API key with the scope “${scope}”: without a key only chats are possible.`
        : `This key lacks the scope “${scope}”. “moonbridge keys list” shows the scopes of each key.`;
    throw new GatewayError("insufficient_scope", message);
  };
}

/** The key from the headers in which clients send it (clients.md §7 row 3); a key in the URL is not read. */
export function presentedCredential({ headers }: FastifyRequest): string | undefined {
  const candidates = [headers.authorization, headers["x-api-key"], headers["api-key"]].flat();
  const value = candidates.find((candidate) => candidate !== undefined && candidate.trim() !== "");
  return value?.trim().replace(/^bearer\s+/i, "");
}

function missingKeyError({ query }: FastifyRequest, keylessLoopback: boolean): GatewayError {
  const isKeyInUrl = Object.keys(Object(query)).some((name) =>
    /^(key|token|(access|auth)_token|api_?key)$/i.test(name),
  );
  if (isKeyInUrl) {
    const message =
      "A key in an address is not read, since addresses end up in logs. Send it as “Authorization: Bearer <key>”.";
    return new GatewayError("invalid_api_key", message);
  }
  const remedy = keylessLoopback
    ? "server.keylessLoopback is only for programs that connect to this machine by 127.0.0.1 or localhost, without a proxy, and not for web pages."
    : "Moonbridge printed one at its first start.";
  return new GatewayError(
    "invalid_api_key",
    `An API key is missing. Send it as “Authorization: Bearer <key>”; ${remedy}`,
  );
}
