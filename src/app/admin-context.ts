import { AccountAdmin } from "../admin/account-admin.js";
import type { Accounts } from "../admin/accounts.js";
import { ApiKeyAdmin, type FindUnknownModel } from "../admin/api-keys.js";
import { ConversationAdmin } from "../admin/conversation-admin.js";
import { JournalReader } from "../admin/journal-reader.js";
import type { AdminContext } from "../api/admin/routes.js";
import type { ActiveUpstreams } from "../chat/active-upstreams.js";
import type { ChatCleanup } from "../chat/chat-cleanup.js";
import type { Config } from "../config/schema.js";
import type { Store } from "../core/store.js";
import type { Journal } from "../observability/journal.js";
import { accountNames, importAccountInto } from "./admin-tasks.js";
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
  refreshUpstreams(): Promise<void>;
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
  return {
    journal: journalReader,
    conversations: new ConversationAdmin(store, upstreams),
    keys: () =>
      new ApiKeyAdmin({
        ...{ config: config(), store, journal: journalReader },
        findUnknownModel: findUnknown,
      }),
    accounts: new AccountAdmin({
      ...{ accounts, store, upstreams, cleanup },
      configured: () => ({
        all: config().upstreams.map(({ name }) => name),
        importable: accountNames(config()),
      }),
      importInto: (login, account, options) => importAccountInto(store, config(), login, account, options),
      refresh: () => parts.refreshUpstreams(),
    }),
  };
}
