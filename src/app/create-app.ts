import { randomBytes } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import { Accounts } from "../admin/accounts.js";
import { Activity } from "../admin/activity.js";
import { createLoginCode } from "../admin/login-codes.js";
import type { ActiveUpstreams } from "../chat/active-upstreams.js";
import { ChatCleanup } from "../chat/chat-cleanup.js";
import { ChatService } from "../chat/chat-service.js";
import { KeyBudgets } from "../chat/key-budgets.js";
import { KeyQueues } from "../chat/key-queues.js";
import type { TransformFactory } from "../chat/transforms/transform.js";
import { keepStartedSettings, settingsForRestart } from "../config/changed-settings.js";
import type { Config } from "../config/schema.js";
import { limits } from "../core/limits.js";
import type { Store } from "../core/store.js";
import { LocalFileStore } from "../files/local-file-store.js";
import { LinkFetches } from "../files/request-links.js";
import { Uploads } from "../files/upstream-uploads.js";
import { AccountWatch } from "../observability/account-watch.js";
import { DriftNotices } from "../observability/drift-notices.js";
import { Journal } from "../observability/journal.js";
import type { LogTail } from "../observability/log-tail.js";
import { type CutAnswerOutcome, Metrics } from "../observability/metrics.js";
import { type Notification, Notifier } from "../observability/notifier.js";
import { ProtocolDrift } from "../observability/protocol-drift.js";
import type { Recorder } from "../observability/recording/recorder.js";
import { createProxyAgent } from "../proxy/proxy-agent.js";
import { type RunningServer, startServer } from "../server/server.js";
import { openStore } from "../store/open-store.js";
import type { IdleTimeouts } from "../upstreams/context.js";
import { kindOf } from "../upstreams/registry.js";
import { createAdminContext } from "./admin-context.js";
import { createChatSettings } from "./chat-settings.js";
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
  /**
   * From now on this is the configuration, except for the settings that `settingsForRestart` names. Answers in progress keep
   * the settings and the upstreams that they began with. Throws what opening an upstream throws; then nothing changes.
   */
  replaceConfig(config: Config): Promise<void>;
  /** A one-time code for the console; see `createLoginCode`. */
  createLoginCode(): Promise<string>;
  /** Starts the HTTP server. Stop it before `close`. */
  listen(): Promise<RunningServer>;
  close(): Promise<void>;
};

export type AppOptions = {
  /** Shorter upstream timeouts, for tests. */
  timeouts?: IdleTimeouts | undefined;
  recorder?: Recorder | undefined;
  /** The end of the log, for the console. */
  logTail?: LogTail | undefined;
  /** Further transforms, nearer to the client than Moonbridge's own. */
  transforms?: readonly TransformFactory[];
};

/** Opens the store and the upstreams; sends nothing upstream yet. Throws StoreError where the store cannot be used. */
export async function createApp(
  config: Config,
  log: FastifyBaseLogger,
  options: AppOptions = {},
): Promise<App> {
  const store = await openStore(config);
  try {
    return await createAppWithStore(store, config, log, options);
  } catch (error) {
    // An open connection to Redis would keep the process from ending.
    await store.close();
    throw error;
  }
}

async function createAppWithStore(
  store: Store,
  config: Config,
  log: FastifyBaseLogger,
  { timeouts, recorder, logTail, transforms = [] }: AppOptions,
): Promise<App> {
  for (const note of store.notes) log.warn(note);
  const activity = new Activity();
  const warn = (message: string, error: unknown) => log.warn({ error }, message);
  const webhookConnections = createProxyAgent(config.proxies.chooseFor(), { timeout: limits.connect });
  const notifier = new Notifier({
    settings: () => current.config.notify,
    warn,
    dispatcher: webhookConnections,
  });
  const notify = (notification: Notification) => notifier.notify(notification);
  const driftNotices = new DriftNotices(notify);
  const drift = new ProtocolDrift((entry) => {
    log.warn(entry, "Kimi sent something that Moonbridge does not know");
    driftNotices.onNewEntry(entry);
    activity.emit({ type: "drift", drift: entry });
  });
  const metrics = new Metrics();
  /** The configuration as it was read last; some of its settings need a restart. */
  let requested = config;
  const onCutAnswer = (outcome: CutAnswerOutcome) => {
    log.info({ outcome }, "the rest of a cut answer was asked for");
    metrics.recordCutAnswer(outcome);
  };
  const context = { store, drift, warn, recorder, onCutAnswer, ...(timeouts ? { timeouts } : {}) };
  let current = { config, settings: createChatSettings(config, metrics) };
  const waitLimits = () => {
    const { depth, waitSeconds } = current.config.queue;
    return { depth, maxWait: waitSeconds * 1_000 };
  };
  const watcher = await UpstreamWatcher.open({
    config,
    store,
    log,
    openUpstream: (upstream) =>
      kindOf(upstream).open(upstream, { ...context, chooseProxy: config.proxies.chooseFor(upstream.proxy) }),
    createGuards: (upstream) =>
      createUpstreamGuards(upstream, { waitLimits, log, metrics, slots: store.slots }),
  });
  const { upstreams } = watcher;
  const cleanup = new ChatCleanup(store, upstreams, warn);
  const files = await LocalFileStore.open(config.files.folder, store, () => current.config.files.maxBytes);
  const historyKey = await store.getOrCreateSecret("history", () => randomBytes(32).toString("base64url"));
  const chat = new ChatService({
    upstreams,
    keyQueues: new KeyQueues({
      waitLimits,
      onWait: (entry) => log.info(entry, "a request waits for its turn"),
    }),
    keyBudgets: new KeyBudgets({ store, warn }),
    settings: () => current.settings,
    store,
    cleanup,
    historyKey,
    transforms,
    files,
    uploads: new Uploads(store, files),
    linkFetches: new LinkFetches(),
    warn,
  });
  const accounts = new Accounts(upstreams);
  const accountWatch = new AccountWatch(() => accounts.reports(), notify);
  metrics.addStateGauges(
    () => accounts.reports(),
    () => drift.entries(),
  );
  const journal = new Journal({ store: store.journal, keep: () => current.config.journal, warn });
  metrics.addJournalGauge(() => journal.lost);
  const { traffic } = store;
  if (traffic) metrics.addStoreGauges(() => store.traffic ?? traffic);
  const admin = createAdminContext({
    config: () => current.config,
    store,
    upstreams,
    cleanup,
    accounts,
    journal,
    ...{ activity, drift, logTail },
    refreshUpstreams: () => watcher.refresh(),
    settingsForRestart: () => settingsForRestart(config, requested),
  });
  let server: RunningServer | undefined;
  const listen = async () => {
    const observers = { metrics, journal, activity };
    server = await startServer({
      chat,
      accounts,
      store,
      admin,
      log,
      config: () => current.config,
      ...observers,
    });
    return server;
  };
  const replaceConfig = (replacement: Config) =>
    watcher.replaceConfigured(replacement.upstreams, () => {
      requested = replacement;
      const inForce = keepStartedSettings(replacement, config);
      current = { config: inForce, settings: createChatSettings(inForce, metrics) };
      log.level = inForce.log.level;
      journal.trimSoon();
      server?.replaceConfig(inForce);
    });
  const close = async () => {
    accountWatch.stop();
    await watcher.stop();
    await chat.close();
    await recorder?.close();
    await notifier.close();
    await webhookConnections.destroy();
    await journal.flush();
    await store.close();
  };
  const loginCode = () => createLoginCode(store.sessions);
  return {
    createLoginCode: loginCode,
    replaceConfig,
    chat,
    accounts,
    store,
    cleanup,
    drift,
    metrics,
    upstreams,
    listen,
    close,
  };
}
