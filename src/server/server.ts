import { randomBytes, randomUUID } from "node:crypto";
import { lookup } from "node:dns/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import type { Accounts } from "../admin/accounts.js";
import type { Activity } from "../admin/activity.js";
import { accountsRoute } from "../api/admin/accounts.js";
import type { AdminContext } from "../api/admin/routes.js";
import type { DialectContext } from "../api/dialect.js";
import { dialects } from "../api/dialects.js";
import { filesRoute } from "../api/files/route.js";
import { modelsRoute } from "../api/models/route.js";
import type { ChatService } from "../chat/chat-service.js";
import { serverUrl } from "../config/listen-address.js";
import type { Config } from "../config/schema.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { KeyStore, ResponseStore, Store } from "../core/store.js";
import { TextSealer } from "../lib/text-sealer.js";
import type { Journal } from "../observability/journal.js";
import type { Metrics } from "../observability/metrics.js";
import { adminApi, loginApi } from "./admin-api.js";
import { authHook, requireScope } from "./auth/auth-hook.js";
import { Authenticator } from "./auth/authenticator.js";
import { FailedLoginLimiter } from "./auth/failed-login-limiter.js";
import { tokenEndpoint } from "./auth/oauth/token-endpoint.js";
import { Sessions } from "./auth/sessions.js";
import { BodyMemory } from "./body/body-memory.js";
import { acceptJson } from "./body/json-body.js";
import { canonicalUrl } from "./canonical-url.js";
import { ConnectionErrors } from "./connection-errors.js";
import { registerConsole } from "./console.js";
import { registerCors } from "./cors.js";
import { registerErrorHandlers } from "./errors.js";
import { FurtherPorts } from "./further-ports.js";
import { registerHealth } from "./health.js";
import { registerOpenApi } from "./openapi.js";
import { RateLimiter } from "./rate-limit.js";
import { RequestLifecycle, requestIdHeaders } from "./request-lifecycle.js";
import { RequestLog } from "./request-log.js";
import { compileValidator } from "./schema-validator.js";
import { registerSecurityHeaders } from "./security-headers.js";
import { TlsServers } from "./tls-servers.js";

export type ServerDependencies = {
  chat: ChatService;
  store: KeyStore & ResponseStore & Pick<Store, "sessions" | "buckets" | "isReachable">;
  accounts: Accounts;
  metrics: Metrics;
  journal: Journal;
  activity: Activity;
  admin: AdminContext;
  log: FastifyBaseLogger;
  /** The configuration in force now. Where it listens is read at the start only. */
  config: () => ServerConfig;
};

type ServerConfig = Pick<Config, "server" | "keys" | "oauth" | "proxies" | "streams" | "chats">;

/** A listening server. */
export type RunningServer = {
  url: string;
  /** The same server at the ports of `server.alsoListen`. */
  furtherUrls: readonly string[];
  /** Takes over what the server derives from the configuration: its keys and the OAuth issuer. */
  replaceConfig(config: ServerConfig): void;
  stop(): Promise<void>;
};

/** Registers all routes and starts listening. */
export async function startServer(dependencies: ServerDependencies): Promise<RunningServer> {
  const { log } = dependencies;
  const config = dependencies.config().server;
  const requestId = () => `req_${randomUUID().replaceAll("-", "")}`;
  const connectionErrors = new ConnectionErrors({
    origins: () => dependencies.config().server.cors,
    log,
    requestId,
  });
  const tlsServers =
    config.tls &&
    new TlsServers(config.tls, (socket, packet) => connectionErrors.refusePlainHttp(socket, packet));
  const timeouts = { requestTimeout: limits.requestReceive, keepAliveTimeout: limits.keepAliveConnection };
  // Refused by `requireHost` instead, with the error envelope.
  const http = { requireHostHeader: false };
  const app = Fastify<Server, IncomingMessage, ServerResponse, FastifyBaseLogger>({
    loggerInstance: withoutRoutineLines(log),
    logController: new LogController({ disableRequestLogging: true }),
    // No child logger per request: the few lines that are written name the request themselves, which is cheaper.
    childLoggerFactory: (logger) => logger,
    genReqId: requestId,
    http,
    ...(tlsServers
      ? { serverFactory: (handler) => tlsServers.create({ ...http, ...timeouts }, handler) }
      : {}),
    clientErrorHandler: (error, socket) => connectionErrors.handleClientError(error, socket),
    rewriteUrl: (request) => canonicalUrl(request.url ?? "/"),
    // Node limits the length of all headers together; an id of any length is looked up, and a 404 if there is none.
    routerOptions: { maxParamLength: limits.requestPath },
    bodyLimit: limits.requestBody,
    ...timeouts,
    forceCloseConnections: "idle",
  });
  app.setValidatorCompiler(compileValidator);
  connectionErrors.watch(app.server);
  const { metrics, journal, activity } = dependencies;
  const requestLog = new RequestLog({ log, metrics, journal, activity });
  const lifecycle = new RequestLifecycle(app, requestLog);
  const authenticator = await assemble(app, dependencies);
  const furtherPorts = new FurtherPorts();
  const secondAddress = new FurtherPorts();
  const close = async () => {
    await Promise.all([app.close(), furtherPorts.close(), secondAddress.close()]);
    await requestLog.settle();
    await journal.flush();
  };
  try {
    await app.listen({ host: config.host, port: config.port });
    const addresses = boundAddresses(app);
    if (tlsServers && config.host === "localhost") {
      // Fastify listens at both addresses of localhost only with a server that it has made itself.
      const others = await otherAddresses(config.host, addresses);
      await secondAddress.listen(app.server, others, [portOf(app)]).catch(() => {});
      addresses.push(...others);
    }
    await furtherPorts.listen(app.server, addresses, config.alsoListen);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: serverUrl({ ...config, port: portOf(app) }),
    furtherUrls: furtherPorts.ports.map((port) => serverUrl({ ...config, port })),
    replaceConfig: (replacement) => {
      authenticator.replaceConfig(replacement);
      if (replacement.server.tls) tlsServers?.replaceFiles(replacement.server.tls);
    },
    stop: () => {
      const closeConnections = () => {
        app.server.closeAllConnections();
        tlsServers?.closeAllConnections();
      };
      const gracePeriod = dependencies.config().server.shutdownSeconds * 1_000;
      return shutDown({ app, lifecycle, close, closeConnections }, gracePeriod);
    },
  };
}

type Stoppable = {
  app: FastifyInstance;
  lifecycle: RequestLifecycle;
  close: () => Promise<void>;
  closeConnections: () => void;
};

/** Stops accepting connections and lets running requests finish; after `gracePeriod` milliseconds they are aborted. */
async function shutDown(
  { app, lifecycle, close, closeConnections }: Stoppable,
  gracePeriod: number,
): Promise<void> {
  const abortTimer = setTimeout(() => lifecycle.abortAll(), gracePeriod);
  const closeTimer = setTimeout(closeConnections, gracePeriod + limits.shutdownFlush);
  // Idle keep-alive connections would otherwise hold up `close` for a minute.
  const idleTimer = setInterval(() => {
    if (lifecycle.running > 0) app.server.closeIdleConnections();
    else closeConnections();
  }, 50);
  await close();
  clearTimeout(abortTimer);
  clearTimeout(closeTimer);
  clearInterval(idleTimer);
}

async function assemble(
  app: FastifyInstance,
  { chat, accounts, store, config, metrics, admin: adminContext }: ServerDependencies,
): Promise<Authenticator> {
  const authenticator = await Authenticator.open(config(), store);
  app.addHook("onClose", () => authenticator.close());
  const failedLogins = new FailedLoginLimiter(store.buckets);
  const rateLimiter = new RateLimiter(store.buckets);
  const answerSecret = await store.getOrCreateSecret("answers", () => randomBytes(32).toString("base64url"));
  const sealer = new TextSealer(answerSecret);
  const dialectContext: DialectContext = {
    chat,
    options: {
      get unknownParameters() {
        return config().server.unknownParameters;
      },
      get visibleErrors() {
        return config().streams.visibleErrors;
      },
      sealer,
      get origins() {
        return config().server.cors;
      },
    },
    responses: { store, keepFor: () => config().chats.keepHours * 3_600_000 },
    rateLimit: (request, reply) => rateLimiter.admit(request, reply),
  };
  registerErrorHandlers(app);
  ignoreBodies(app);
  registerSecurityHeaders(app);
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(requestIdHeaders(request.id));
    done();
  });
  await registerCors(app, () => config().server.cors);
  requireHost(app);
  await registerOpenApi(app);
  const hosts = () => config().server.hosts;
  const sendConsole = await registerConsole(app, hosts);
  const allowsKeyless = () => config().server.keylessLoopback;
  const sessions = new Sessions(store.sessions, authenticator);
  const authenticate = authHook({ authenticator, sessions, hosts, failedLogins, rateLimiter, allowsKeyless });
  registerHealth(app, { accounts, store, authenticate, sendConsole });
  await app.register(tokenEndpoint(authenticator, failedLogins));
  const bodies = new BodyMemory();
  await app.register(loginApi({ authenticator, sessions, failedLogins, sealer, hosts, bodies }));
  await app.register(async (authenticated) => {
    acceptJson(authenticated, bodies);
    const api = authenticated.withTypeProvider<TypeBoxTypeProvider>();
    api.addHook("onRequest", authenticate);
    await api.register(modelsRoute(chat));
    await api.register(async (admin) => {
      admin.addHook("onRequest", requireScope("admin"));
      await admin.register(accountsRoute(accounts));
      registerMetrics(admin, metrics);
      await admin.register(adminApi({ sessions, hosts, context: adminContext }));
    });
    await api.register(async (chatScope) => {
      chatScope.addHook("onRequest", requireScope("chat"));
      await chatScope.register(filesRoute(chat));
      for (const dialect of dialects) await chatScope.register(dialect.routes(dialectContext));
    });
  });
  return authenticator;
}

/** `GET /metrics` for Prometheus. Needs an admin key, since metrics show when the service is in use. */
function registerMetrics(app: FastifyInstance, metrics: Metrics): void {
  const schema = { summary: "Counters for Prometheus", tags: ["health"] };
  app.get("/metrics", { schema }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/** HTTP/1.1 requires a `host` header (RFC 9112 §3.2). */
function requireHost(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ raw, headers }) => {
    if (raw.httpVersion === "1.1" && headers.host === undefined)
      throw new GatewayError("invalid_request", "The request has no “host” header.");
  });
}

/** Discards bodies outside the API, so that an unknown path is a 404 whatever its body. */
function ignoreBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(null);
  });
}

/** Fastify tells where it listens, as the greeting does. */
function withoutRoutineLines(log: FastifyBaseLogger): FastifyBaseLogger {
  return log.child({}, { level: ["error", "silent"].includes(log.level) ? log.level : "warn" });
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function boundAddresses(app: FastifyInstance): string[] {
  return app.addresses().flatMap((each) => (typeof each === "object" ? [each.address] : []));
}

/** The addresses of a host that are not among `bound`. */
async function otherAddresses(host: string, bound: readonly string[]): Promise<string[]> {
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.map(({ address }) => address).filter((address) => !bound.includes(address));
}
