import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { adminSchemas as schemas } from "../../api/admin/contract.js";
import { isoTime } from "../../api/admin/schemas/field.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { StoredSession } from "../../core/session.js";
import type { FailedLoginLimiter } from "./failed-login-limiter.js";
import { requireSameOrigin } from "./same-origin.js";
import { clearSessionCookie, readSessionCookie, setSessionCookie } from "./session-cookie.js";
import type { NewSession, Sessions } from "./sessions.js";

/** Failed logins have the stricter limit of `POST /token`, under this name. */
export const limiterName = "console login";

/** `POST /v1/admin/sessions`: the login, for requests without a key. */
export function loginRoute(sessions: Sessions, failedLogins: FailedLoginLimiter): FastifyPluginAsyncTypebox {
  return async (app) => {
    const options = { schema: schemas.createSession, bodyLimit: limits.loginRequest };
    app.post("/v1/admin/sessions", options, async (request, reply) => {
      const { headers, body } = request;
      // A page elsewhere must not log its visitor in, either. Programs send none of these headers.
      if (headers.origin !== undefined || headers["sec-fetch-site"] !== undefined) requireSameOrigin(request);
      const create = creationOf(sessions, body);
      const created = await failedLogins.check(request, create, limiterName);
      await startSession(sessions, { request, reply, created });
      return sessionObject(created.session);
    });
  };
}

/** Gives the browser a new session. Its secret is a new one, so that nobody can have set it before; the one before it ends. */
export async function startSession(
  sessions: Sessions,
  { request, reply, created }: { request: FastifyRequest; reply: FastifyReply; created: NewSession },
): Promise<void> {
  const before = readSessionCookie(request);
  if (before !== undefined) await sessions.end(before);
  setSessionCookie(request, reply, created.secret);
}

function creationOf(sessions: Sessions, { code, key }: { code?: string; key?: string }) {
  if (code !== undefined && key === undefined) return () => sessions.createByCode(code);
  if (key !== undefined && code === undefined) return () => sessions.createByCredential(key);
  throw new GatewayError("invalid_request", "body: expected either a code or a key.");
}

/** The session of the cookie, and its end. */
export function sessionRoutes(sessions: Sessions): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get("/v1/admin/sessions/current", { schema: schemas.getSession }, async ({ session }) => {
      if (!session) throw noSession();
      return sessionObject(session);
    });

    app.delete("/v1/admin/sessions/current", { schema: schemas.deleteSession }, async (request, reply) => {
      const secret = readSessionCookie(request);
      if (!request.session || secret === undefined) throw noSession();
      const hasEnded = await sessions.end(secret);
      clearSessionCookie(request, reply);
      return { object: "admin.session" as const, deleted: hasEnded ? 1 : 0 };
    });

    app.delete("/v1/admin/sessions", { schema: schemas.deleteSessions }, async (request, reply) => {
      const deleted = await sessions.endAll();
      clearSessionCookie(request, reply);
      return { object: "admin.session" as const, deleted };
    });
  };
}

function noSession(): GatewayError {
  return new GatewayError("not_found", "This request came with an API key, not with a session's cookie.");
}

function sessionObject({ key, scopes, createdAt, expiresAt }: StoredSession) {
  return {
    object: "admin.session" as const,
    key,
    scopes: [...scopes],
    created_at: isoTime(createdAt),
    expires_at: isoTime(expiresAt),
  };
}
