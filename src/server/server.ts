import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import cors from "@fastify/cors";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { accounts } from "../api/admin/accounts.js";
import { files } from "../api/files/route.js";
import { models } from "../api/models/route.js";
import { chatCompletions } from "../api/openai-chat/route.js";
import type { Chat } from "../chat/chat-service.js";
import type { Config } from "../config/schema.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { KeyStore } from "../core/store.js";
import type { Metrics } from "../observability/metrics.js";
import { guard, scoped } from "./auth/auth-hook.js";
import { Entrance } from "./auth/authenticator.js";
import { Attempts } from "./auth/failed-login-limiter.js";
import { tokenEndpoint } from "./auth/oauth/token-endpoint.js";
import { canonicalUrl } from "./canonical-url.js";
import { handleErrors } from "./errors.js";
import { health } from "./health.js";
import { docs } from "./openapi.js";
import { Throttle } from "./rate-limit.js";
import { Lifetime } from "./request-lifecycle.js";
import { securityHeaders } from "./security-headers.js";

export type ServerParts = {
  chat: Chat;
  store: KeyStore;
  metrics: Metrics;
  log: FastifyBaseLogger;
  config: Pick<Config, "server" | "keys" | "oauth">;
};

/** A server that listens, and how to stop it. */
export type RunningServer = {
  url: string;
  /** Milliseconds since it had anything to answer. */
  restedFor(): number;
  stop(): Promise<void>;
};

/** Clients can read these across origins (clients.md row 6). */
const exposedHeaders = [
  ...["x-request-id", "request-id", "retry-after", "retry-after-ms", "x-should-retry"],
  ...["x-moonbridge-ignored", "x-moonbridge-upstream"],
  ...["limit", "remaining", "reset"].flatMap((part) => [
    `x-ratelimit-${part}-requests`,
    `x-ratelimit-${part}-tokens`,
  ]),
].join(", ");

/** Assembles the server and starts listening. */
export async function startServer(parts: ServerParts): Promise<RunningServer> {
  const { log } = parts;
  const config = parts.config.server;
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request costs more than the request's name in the few lines that are written.
    childLoggerFactory: (logger) => logger,
    genReqId: () => `req_${randomUUID().replaceAll("-", "")}`,
    rewriteUrl: (request) => canonicalUrl(request.url ?? "/"),
    bodyLimit: limits.requestBody,
    requestTimeout: limits.requestReceive,
    keepAliveTimeout: limits.keepAliveConnection,
    forceCloseConnections: "idle",
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
  });
  const lifetime = new Lifetime(app, parts.metrics);
  await assemble(app, parts);
  await app.listen({ host: config.host, port: config.port });
  return {
    url: addressOf(app, config.host),
    restedFor: () => lifetime.restedFor,
    stop: () => shutDown(app, lifetime, config.shutdownSeconds * 1_000),
  };
}

/** Takes no more connections and lets streams finish; after `grace` milliseconds they end with an error event. */
async function shutDown(app: FastifyInstance, lifetime: Lifetime, grace: number): Promise<void> {
  const stopAll = setTimeout(() => lifetime.stopAll(), grace);
  const cutAll = setTimeout(() => app.server.closeAllConnections(), grace + limits.lastWords);
  // Connections that wait for a next request, or have never sent one, would keep the server for a minute.
  const closeIdle = setInterval(() => {
    if (lifetime.running > 0) app.server.closeIdleConnections();
    else app.server.closeAllConnections();
  }, 50);
  await app.close();
  clearTimeout(stopAll);
  clearTimeout(cutAll);
  clearInterval(closeIdle);
}

async function assemble(app: FastifyInstance, { chat, store, config, metrics }: ServerParts): Promise<void> {
  const { cors: origins, unknownParameters } = config.server;
  const entrance = await Entrance.open(config, store);
  app.addHook("onClose", () => entrance.close());
  const attempts = new Attempts();
  const throttle = new Throttle();
  handleErrors(app);
  ignoreBodies(app);
  securityHeaders(app);
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    if (request.headers.origin !== undefined) reply.header("access-control-expose-headers", exposedHeaders);
    if (request.headers["access-control-request-private-network"] === "true") {
      reply.header("access-control-allow-private-network", "true");
    }
    done();
  });
  await app.register(cors, {
    origin: origins.includes("*") ? true : origins,
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    maxAge: 7_200,
    strictPreflight: false,
  });
  await docs(app);
  health(app, chat);
  await app.register(tokenEndpoint(entrance, attempts));
  await app.register(async (guarded) => {
    acceptJson(guarded);
    const api = guarded.withTypeProvider<TypeBoxTypeProvider>();
    api.addHook("onRequest", guard(entrance, attempts, throttle));
    await api.register(models(chat));
    await api.register(async (administrating) => {
      administrating.addHook("onRequest", scoped("admin"));
      await administrating.register(accounts(chat));
      metricsPage(administrating, metrics);
    });
    await api.register(async (chatting) => {
      chatting.addHook("onRequest", scoped("chat"));
      await chatting.register(files(chat));
      await chatting.register(async (answering) => {
        answering.addHook("onRequest", async (request, reply) => throttle.admit(request, reply));
        await answering.register(chatCompletions(chat, { unknownParameters }));
      });
    });
  });
}

/** `GET /metrics`, for Prometheus: with an admin key, since it tells when somebody is at home. */
function metricsPage(app: FastifyInstance, metrics: Metrics): void {
  const schema = { summary: "Counters for Prometheus", tags: ["health"] };
  app.get("/metrics", { schema }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/** Outside the API nobody reads a body; an unknown address is a 404 whatever was sent to it. */
function ignoreBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(null);
  });
}

/** Bodies are JSON whatever their type says: people's scripts forget the header. */
function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, async (_request: unknown, body: string | Buffer) => {
    const parsed = parseBody(String(body));
    // What reads millions of characters next does it in a turn of the event loop of its own.
    if (body.length > limits.longBody) await setImmediate();
    return parsed;
  });
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body.replace(/^\ufeff/, ""));
  } catch {
    // The parser's own message quotes the body.
    throw new GatewayError("invalid_request", "The body is not valid JSON.");
  }
}

function addressOf(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
