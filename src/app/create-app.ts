import { randomBytes } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import { Accounts } from "../admin/accounts.js";
import type { ActiveUpstreams } from "../chat/active-upstreams.js";
import { ChatCleanup } from "../chat/chat-cleanup.js";
import { ChatService } from "../chat/chat-service.js";
import { KeyBudgets } from "../chat/key-budgets.js";
import { KeyQueues } from "../chat/key-queues.js";
import { SideRequestMatcher } from "../chat/side-requests.js";
import type { TransformFactory } from "../chat/transforms/transform.js";
import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-settings.js";
import type { Store } from "../core/store.js";
import { LinkFetcher } from "../files/link-fetcher.js";
import { LocalFileStore } from "../files/local-file-store.js";
import { LinkFetches } from "../files/request-links.js";
import { SsrfGuard } from "../files/ssrf-guard.js";
import { Uploads } from "../files/upstream-uploads.js";
import { Metrics } from "../observability/metrics.js";
import { ProtocolDrift } from "../observability/protocol-drift.js";
import type { Recorder } from "../observability/recording/recorder.js";
import { type RunningServer, startServer } from "../server/server.js";
import { openStore } from "../store/open-store.js";
import type { IdleTimeouts } from "../upstreams/context.js";
import { kindOf } from "../upstreams/registry.js";
import { createUpstreamGuards } from "./upstream-guards.js";
import { UpstreamWatcher } from "./upstream-watcher.js";

/** All components of the gateway, opened and connected according to the configuration. */
export type App = {
  chat: ChatService;
  accounts: Accounts;
  store: Store;
  cleanup: ChatCleanup;
  drift: ProtocolDrift;
  metrics: Metrics;
  upstreams: ActiveUpstreams;
  /** Replaces the configured upstreams; see `UpstreamWatcher.replaceConfigured`. */
  replaceUpstreams(upstreams: readonly UpstreamConfig[]): Promise<void>;
  /** Starts the HTTP server. Stop it before `close`. */
  listen(): Promise<RunningServer>;
  close(): Promise<void>;
};

export type AppOptions = {
  /** Shorter upstream timeouts, for tests. */
  timeouts?: IdleTimeouts | undefined;
  recorder?: Recorder | undefined;
  /** Further transforms, nearer to the client than Moonbridge's own. */
  transforms?: readonly TransformFactory[];
};

/** Opens the store and the upstreams; sends nothing upstream yet. Throws StoreError where the store cannot be used. */
export async function createApp(
  config: Config,
  log: FastifyBaseLogger,
  { timeouts, recorder, transforms = [] }: AppOptions = {},
): Promise<App> {
  const store = await openStore(config);
  for (const note of store.notes) log.warn(note);
  const drift = new ProtocolDrift((entry) =>
    log.warn(entry, "Kimi sent something that Moonbridge does not know"),
  );
  const warn = (message: string, error: unknown) => log.warn({ error }, message);
  const { folder, maxBytes, allowPrivateLinks, promptLinks, linkSeconds } = config.files;
  const ssrfGuard = new SsrfGuard({ allowPrivate: allowPrivateLinks });
  const links = new LinkFetcher(ssrfGuard, { fetchLimits: { file: maxBytes, total: linkSeconds * 1_000 } });
  const context = { store, drift, warn, recorder, ...(timeouts ? { timeouts } : {}) };
  const metrics = new Metrics();
  const watcher = await UpstreamWatcher.open({
    config,
    store,
    log,
    openUpstream: (upstream) => kindOf(upstream).open(upstream, context),
    createGuards: (upstream) => createUpstreamGuards(upstream, { config, log, metrics }),
  });
  const { upstreams } = watcher;
  const cleanup = new ChatCleanup(store, upstreams, warn);
  const files = await LocalFileStore.open(folder, store, maxBytes);
  const uploads = new Uploads(store, files);
  const { routes, modelAliases, chats, citations } = config;
  const historyKey = await store.getOrCreateSecret("history", () => randomBytes(32).toString("base64url"));
  const chat = new ChatService({
    upstreams,
    keyQueues: new KeyQueues({
      depth: config.queue.depth,
      maxWait: config.queue.waitSeconds * 1_000,
      onWait: (entry) => log.info(entry, "a request waits for its turn"),
    }),
    keyBudgets: new KeyBudgets({ store, warn }),
    modelNames: { routes, modelAliases },
    store,
    cleanup,
    chats,
    historyKey,
    allowWindows: chats.windows === "continue",
    citations,
    sideRequests: new SideRequestMatcher(config.sideRequestPatterns),
    tools: { ...config.tools, observer: metrics.toolObserver },
    transforms,
    files,
    attachments: { uploads, linkInspector: promptLinks === "documents" ? links : undefined },
    linkFetches: new LinkFetches(links),
    warn,
  });
  const accounts = new Accounts(upstreams);
  metrics.addStateGauges(
    () => accounts.reports(),
    () => drift.entries(),
  );
  const listen = () => startServer({ chat, accounts, store, metrics, log, config });
  const close = async () => {
    await watcher.stop();
    await chat.close();
    await recorder?.close();
    await store.close();
  };
  const replaceUpstreams = (configured: readonly UpstreamConfig[]) => watcher.replaceConfigured(configured);
  return { replaceUpstreams, chat, accounts, store, cleanup, drift, metrics, upstreams, listen, close };
}
