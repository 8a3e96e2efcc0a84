import type { FastifyInstance } from "fastify";

/**
 * Security headers of every response. The default content policy allows nothing, which suits JSON; HTML pages set their
 * own. Cross-origin reads are decided by CORS.
 */
export const securityHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

/** Registers a hook that sets the security headers. */
export function registerSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(securityHeaders);
    done();
  });
}
