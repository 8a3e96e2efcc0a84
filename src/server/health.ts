import type { FastifyInstance } from "fastify";
import type { Accounts } from "../admin/accounts.js";
import type { AccountStatus } from "../core/types.js";
import { version } from "../lib/version.js";

/** Registers `/`, `/healthz` (liveness) and `/readyz` (readiness with reasons). None of them needs a key. */
export function registerHealth(app: FastifyInstance, accounts: Accounts): void {
  app.get("/", { schema: { summary: "Who this is", tags: ["health"], security: [] } }, async () => ({
    name: "moonbridge",
    version,
    docs: "/docs",
  }));

  app.get(
    "/healthz",
    { schema: { summary: "The process is alive", tags: ["health"], security: [] } },
    async () => ({
      status: "ok",
    }),
  );

  const schema = { summary: "An upstream can answer; if not, why", tags: ["health"], security: [] };
  app.get("/readyz", { schema }, async (_request, reply) => {
    const upstreams = accounts
      .reports()
      .map(({ upstream, simulated, status }) => ({ upstream, simulated, ...withIsoDates(status) }));
    const ready = upstreams.some(({ state }) => isReadyState[state]);
    return reply.status(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", upstreams });
  });
}

/**
 * The account states that count as ready. `limited` does: it usually ends within a minute and its 429 says when, while
 * flapping readiness would take the service out of rotation. A used-up quota lasts for hours and does not.
 */
const isReadyState: Record<AccountStatus["state"], boolean> = {
  ok: true,
  expiring: true,
  busy: true,
  limited: true,
  quota: false,
  "login required": false,
  unavailable: false,
};

/** Times as ISO 8601 instead of milliseconds. */
function withIsoDates(status: AccountStatus) {
  const date = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
  switch (status.state) {
    case "ok":
    case "expiring":
      return { ...status, expiresAt: date(status.expiresAt) };
    case "limited":
    case "quota":
    case "unavailable":
      return { ...status, until: date(status.until) };
    case "busy":
    case "login required":
      return status;
  }
}
