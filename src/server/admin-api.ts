import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { type AdminContext, adminRoutes } from "../api/admin/routes.js";
import { type IssuerLoginOptions, issuerLoginRoutes } from "./auth/issuer-login-routes.js";
import { requireKnownHost } from "./auth/same-origin.js";
import { loginRoute, sessionRoutes } from "./auth/session-routes.js";
import type { Sessions } from "./auth/sessions.js";
import type { BodyMemory } from "./body/body-memory.js";
import { acceptJson } from "./body/json-body.js";

/** The names that the console answers to, see `requireKnownHost`, and its sessions. */
type ConsoleOptions = { sessions: Sessions; hosts: () => readonly string[] };

/** The login at the console, for requests without a key. */
export function loginApi({
  sessions,
  hosts,
  failedLogins,
  bodies,
  ...issuerLogin
}: ConsoleOptions & IssuerLoginOptions & { bodies: BodyMemory }): FastifyPluginAsyncTypebox {
  return async (app) => {
    acceptJson(app, bodies);
    protect(app, hosts);
    await app.register(loginRoute(sessions, failedLogins));
    await app.register(issuerLoginRoutes({ sessions, failedLogins, ...issuerLogin }));
  };
}

/** `/v1/admin/*` for requests that are authenticated and have the scope `admin`. */
export function adminApi({
  sessions,
  hosts,
  context,
}: ConsoleOptions & { context: AdminContext }): FastifyPluginAsyncTypebox {
  return async (app) => {
    protect(app, hosts);
    await app.register(sessionRoutes(sessions));
    await app.register(adminRoutes(context));
  };
}

/** What holds for every route of the console's API: it answers to known names only, and nothing of it is cached. */
function protect(app: FastifyInstance, hosts: () => readonly string[]): void {
  app.addHook("onRequest", async (request, reply) => {
    requireKnownHost(request, hosts());
    reply.header("cache-control", "no-store");
  });
}
