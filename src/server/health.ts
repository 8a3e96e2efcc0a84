import type { FastifyInstance, onRequestAsyncHookHandler } from "fastify";
import type { AccountReport, Accounts } from "../admin/accounts.js";
import type { Store } from "../core/store.js";
import type { AccountStatus } from "../core/types.js";
import { version } from "../lib/version.js";
import { presentedCredential } from "./auth/auth-hook.js";
import type { SendConsole } from "./console.js";

type HealthDependencies = {
  accounts: Accounts;
  store: Pick<Store, "isReachable">;
  authenticate: onRequestAsyncHookHandler;
  sendConsole: SendConsole;
};

/**
 * Registers `/`, `/healthz` (liveness) and `/readyz` (readiness). None of them needs a key. `/readyz` gives its reasons
 * to keys with the scope `admin` only, which `authenticate` establishes: the others can be read by any web page.
 */
export function registerHealth(
  app: FastifyInstance,
  { accounts, store, authenticate, sendConsole }: HealthDependencies,
): void {
  const summary = "Who this is; for a browser, the console";
  app.get("/", { schema: { summary, tags: ["health"], security: [] } }, async (request, reply) => {
    reply.header("vary", "accept");
    if (request.headers.accept?.includes("text/html")) return sendConsole(request, reply);
    return {
      name: "moonbridge",
      version,
      docs: "/docs",
      simulated: accounts.reports().every(({ simulated }) => simulated),
    };
  });

  // Claude Code asks for it at its start, without a key (clients.md §4.1).
  app.get("/api/hello", { schema: { hide: true } }, async () => ({ message: "hello" }));

  app.get(
    "/healthz",
    { schema: { summary: "The process is alive", tags: ["health"], security: [] } },
    async () => ({
      status: "ok",
    }),
  );

  const schema = {
    summary: "An upstream can answer; for an admin key also the state of each",
    tags: ["health"],
    security: [{}, { key: [] }],
  };
  const authenticateIfAsked: onRequestAsyncHookHandler = async function (request, reply) {
    if (presentedCredential(request) !== undefined) await authenticate.call(this, request, reply);
  };
  app.get("/readyz", { schema, onRequest: authenticateIfAsked }, async ({ principal }, reply) => {
    const reports = accounts.reports();
    const ready = reports.some(({ status }) => isReadyState[status.state]);
    // Without the store, requests are answered, so that no load balancer may take the process out.
    const isReachable = await store.isReachable();
    const answer = {
      status: ready ? "ready" : "not ready",
      ...(isReachable ? {} : { store: "unreachable" }),
    };
    const isAdmin = principal?.scopes.includes("admin") ?? false;
    return reply
      .status(ready ? 200 : 503)
      .send(isAdmin ? { ...answer, upstreams: reports.map(describeUpstream) } : answer);
  });
}

function describeUpstream({ upstream, simulated, status }: AccountReport) {
  return { upstream, simulated, ...withIsoDates(status) };
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
