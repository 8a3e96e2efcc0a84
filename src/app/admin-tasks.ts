import type { ImportedLogin } from "../accounts/import/import-login.js";
import { type AccountOrigin, accountOrigin } from "../admin/account-admin.js";
import { ApiKeyAdmin, type FindUnknownModel } from "../admin/api-keys.js";
import type { Finding } from "../admin/diagnostics/finding.js";
import { type DiagnosticsOptions, runDiagnostics } from "../admin/diagnostics/run-diagnostics.js";
import {
  type ImportAccountOptions,
  type ImportAccountResult,
  importAccount,
} from "../admin/import-account.js";
import { JournalReader } from "../admin/journal-reader.js";
import { countChats, type PurgeResult, purgeChats } from "../admin/purge-chats.js";
import { type AccountRename, renameAccount } from "../admin/rename-account.js";
import { ChatCleanup } from "../chat/chat-cleanup.js";
import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-settings.js";
import type { Store } from "../core/store.js";
import type { AccountStatus, Upstream } from "../core/types.js";
import { ProtocolDrift } from "../observability/protocol-drift.js";
import type { ProxyRules } from "../proxy/proxy-rules.js";
import { openStore } from "../store/open-store.js";
import { kimiWeb } from "../upstreams/kimi-web/kind.js";
import { credentialsVerifier } from "../upstreams/kimi-web/verify-credentials.js";
import { createNullCredentialStore } from "../upstreams/null-credential-store.js";
import { kindOf } from "../upstreams/registry.js";
import { configuredUpstreams } from "./configured-upstreams.js";
import { findUnknownModel } from "./find-unknown-model.js";
import { loadAppConfig } from "./load-config.js";

/** Runs `task` with the API key administration on the configured store, which is open only during the task. */
export async function withApiKeyAdmin(
  config: Config,
  task: (keys: ApiKeyAdmin) => Promise<void>,
): Promise<void> {
  await withStore(config, (store) => {
    const findUnknownModelOf: FindUnknownModel = async (models, names) => {
      if (models.length === 0) return undefined;
      const configured = await configuredUpstreams(config, store);
      const permitted = configured.filter(({ name }) => names?.includes(name) ?? true);
      return withUpstreams(permitted, { store, config }, (upstreams) =>
        findUnknownModel(models, upstreams, config),
      );
    };
    return task(
      new ApiKeyAdmin({
        ...{ config, store, journal: store.journal },
        findUnknownModel: findUnknownModelOf,
      }),
    );
  });
}

/** Imports a login into the configured store, where a running Moonbridge finds it. */
export function importAccountIntoStore(
  config: Config,
  login: ImportedLogin,
  account: string,
  options: ImportAccountOptions,
): Promise<ImportAccountResult> {
  return withStore(config, (store) => importAccountInto(store, config, login, account, options));
}

/** The same for an open store. */
export function importAccountInto(
  store: Store,
  config: Config,
  login: ImportedLogin,
  account: string,
  options: ImportAccountOptions,
): Promise<ImportAccountResult> {
  const configured = config.upstreams.filter(kimiWeb.is).find(({ name }) => name === account);
  const settings = { ...configured, ...options };
  const chooseProxy = config.proxies.chooseFor(configured?.proxy);
  const verifyCredentials = credentialsVerifier(chooseProxy);
  return importAccount(login, account, settings, { store, verifyCredentials });
}

/** Runs `task` with the number of the chats that Moonbridge has at Kimi, and a function that deletes them. */
export async function withChatPurge(
  config: Config,
  task: (chats: { count: number; run(): Promise<PurgeResult> }) => Promise<void>,
): Promise<void> {
  await withStore(config, async (store) => {
    const run = async () => {
      const configs = await configuredUpstreams(config, store);
      return withUpstreams(configs, { store, config }, async (upstreams) => {
        const current = upstreams.map((upstream) => ({ upstream }));
        const cleanup = new ChatCleanup(store, { current, use: (work) => work(current) }, () => {});
        try {
          const names = configs.map(({ name }) => name);
          return await purgeChats(names, { store, cleanup });
        } finally {
          await cleanup.stop();
        }
      });
    };
    await task({ count: await countChats(store), run });
  });
}

/** Runs `task` with the journal of the configured store. */
export async function withJournal(
  config: Config,
  task: (journal: JournalReader) => Promise<void>,
): Promise<void> {
  await withStore(config, (store) => task(new JournalReader(store.journal)));
}

/** An account and its state as far as it is known without asking anybody. */
export type ListedAccount = { name: string; kind: string; origin: AccountOrigin; status: AccountStatus };

export function listAccounts(config: Config): Promise<ListedAccount[]> {
  const configuredNames = config.upstreams.map(({ name }) => name);
  return withStore(config, async (store) => {
    const configs = await configuredUpstreams(config, store);
    return withUpstreams(configs, { store, config }, async (upstreams) =>
      upstreams.map((upstream) => ({
        ...{ name: upstream.name, kind: upstream.kind },
        origin: accountOrigin(upstream, configuredNames),
        status: upstream.status(),
      })),
    );
  });
}

/** Renames an account of the configured store, where a running Moonbridge finds it under its new name. */
export function renameStoredAccount(
  config: Config,
  names: { from: string; to: string },
): Promise<AccountRename> {
  return withStore(config, (store) => renameAccount(names, { store, config }));
}

/** The configured upstreams that a login can be imported for. */
export function accountNames({ upstreams }: Config): string[] {
  return upstreams.filter(kimiWeb.is).map(({ name }) => name);
}

/** Runs the checks of `moonbridge doctor`. */
export function diagnose(options: DiagnosticsOptions): AsyncGenerator<Finding> {
  return runDiagnostics(options, {
    openStore,
    configuredUpstreams,
    loadConfig: loadAppConfig,
    kindOf,
    openUpstream: openForTask,
  });
}

/** The same for the configuration in force in this process. */
export function diagnoseRunning(
  config: Config,
  options: Omit<DiagnosticsOptions, "commandLine">,
): AsyncGenerator<Finding> {
  return runDiagnostics(
    { ...options, commandLine: {} },
    { openStore, configuredUpstreams, loadConfig: async () => config, kindOf, openUpstream: openForTask },
  );
}

/** Opens an upstream outside a running server. Without a store it keeps nothing. */
function openForTask(
  config: UpstreamConfig,
  store: Store | undefined,
  proxies: ProxyRules,
): Promise<Upstream> {
  return kindOf(config).open(config, {
    store: store ?? createNullCredentialStore(),
    drift: new ProtocolDrift(),
    warn: () => {},
    chooseProxy: proxies.chooseFor(config.proxy),
  });
}

/** Runs `task` with these upstreams, which are open only during the task. */
async function withUpstreams<Result>(
  configs: readonly UpstreamConfig[],
  { store, config }: { store: Store; config: Config },
  task: (upstreams: Upstream[]) => Promise<Result>,
): Promise<Result> {
  const upstreams = await Promise.all(configs.map((each) => openForTask(each, store, config.proxies)));
  try {
    return await task(upstreams);
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  }
}

async function withStore<Result>(config: Config, task: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await openStore(config);
  try {
    return await task(store);
  } finally {
    await store.close();
  }
}
