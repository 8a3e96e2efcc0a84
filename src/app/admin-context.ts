import { AccountAdmin } from "../admin/account-admin.js";
import type { Accounts } from "../admin/accounts.js";
import type { Activity } from "../admin/activity.js";
import { ApiKeyAdmin, type FindUnknownModel } from "../admin/api-keys.js";
import { ConversationAdmin } from "../admin/conversation-admin.js";
import { DiagnosticsRuns } from "../admin/diagnostics-runs.js";
import { JournalReader } from "../admin/journal-reader.js";
import { redactConfig } from "../admin/redacted-config.js";
import type { AdminContext } from "../api/admin/routes.js";
import type { ActiveUpstreams } from "../chat/active-upstreams.js";
import type { ChatCleanup } from "../chat/chat-cleanup.js";
import type { Config } from "../config/schema.js";
import { describeStore } from "../config/store-location.js";
import type { Store } from "../core/store.js";
import type { Journal } from "../observability/journal.js";
import type { LogTail } from "../observability/log-tail.js";
import type { ProtocolDrift } from "../observability/protocol-drift.js";
import { accountNames, diagnoseRunning, importAccountInto } from "./admin-tasks.js";
import { findUnknownModel } from "./find-unknown-model.js";

/** The parts of a running gateway that its administration works with. */
export type RunningParts = {
  /** The configuration in force. */
  config: () => Config;
  store: Store;
  upstreams: ActiveUpstreams;
  cleanup: ChatCleanup;
  accounts: Accounts;
  journal: Journal;
  activity: Activity;
  drift: ProtocolDrift;
  logTail: LogTail | undefined;
  refreshUpstreams(): Promise<void>;
  /** The changed settings that need a restart. */
  settingsForRestart(): readonly string[];
};

/** The use cases behind `/v1/admin`. */
export function createAdminContext(parts: RunningParts): AdminContext {
  const { config, store, upstreams, cleanup, accounts, journal } = parts;
  const journalReader = new JournalReader(store.journal, () => journal.flush());
  const findUnknown: FindUnknownModel = (models, names) =>
    upstreams.use((active) => {
      const open = active.map(({ upstream }) => upstream);
      const permitted = open.filter(({ name }) => names?.includes(name) ?? true);
      return findUnknownModel(models, permitted, config());
    });
  const started = { at: Date.now(), config: config() };
  return {
    journal: journalReader,
    activity: parts.activity,
    diagnostics: new DiagnosticsRuns((options) => diagnoseRunning(config(), options)),
    drift: () => parts.drift.entries(),
    log: () => parts.logTail?.lines() ?? [],
    redactedConfig: () => redactConfig(config()),
    server: () => ({
      startedAt: started.at,
      simulated: upstreams.current.every(({ upstream }) => upstream.simulated),
      configFile: started.config.configFile.kind === "none" ? undefined : started.config.configFile.path,
      store: describeStore(started.config.store),
      filesFolder: started.config.files.folder,
      settingsForRestart: parts.settingsForRestart(),
      journal: { ...config().journal, lost: journal.lost },
    }),
    conversations: new ConversationAdmin(store, upstreams),
    keys: () =>
      new ApiKeyAdmin({
        ...{ config: config(), store, journal: journalReader },
        findUnknownModel: findUnknown,
      }),
    accounts: new AccountAdmin({
      ...{ accounts, store, upstreams, cleanup, config },
      configured: () => ({
        all: config().upstreams.map(({ name }) => name),
        importable: accountNames(config()),
      }),
      importInto: (login, account, options) => importAccountInto(store, config(), login, account, options),
      refresh: () => parts.refreshUpstreams(),
    }),
  };
}
