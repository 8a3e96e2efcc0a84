import type { FastifyInstance } from "fastify";
import type { Chat } from "../chat/chat.js";
import { version } from "../version.js";

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
      .map(({ upstream, simulated, status }) => ({ upstream, simulated, ...status }));
    const ready = upstreams.some(({ state }) => state === "ok" || state === "expiring");
    return reply.status(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", upstreams });
  });
}
