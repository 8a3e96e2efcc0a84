import type { FastifyInstance } from "fastify";

/**
 * What a browser may do with an answer. Data needs nothing; pages give a policy of their own. Across origins only
 * those scripts read it that CORS lets.
 */
const headers = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

export function securityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}
