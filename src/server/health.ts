import type { FastifyInstance } from "fastify";
import type { Chat } from "../chat/chat-service.js";
import type { AccountStatus } from "../core/types.js";
import { version } from "../lib/version.js";

/** What monitors and curious people ask for, without a key: alive, ready and why not, and who this is. */
export function health(app: FastifyInstance, chat: Chat): void {
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
    const upstreams = chat
      .status()
      .map(({ upstream, simulated, status }) => ({ upstream, simulated, ...withDates(status) }));
    const ready = upstreams.some(({ state }) => answers[state]);
    return reply.status(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", upstreams });
  });
}

/**
 * Whether a request is worth sending. `limited` counts: it passes within a minute or so, and its 429 says when, while
 * a readiness that flaps takes the whole service away. A used-up quota lasts for hours.
 */
const answers: Record<AccountStatus["state"], boolean> = {
  ok: true,
  expiring: true,
  busy: true,
  limited: true,
  quota: false,
  "login required": false,
  unavailable: false,
};

/** The times as people and monitors read them. */
function withDates(status: AccountStatus) {
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
