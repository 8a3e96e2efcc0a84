import { describeImport } from "../accounts/import/describe-import.js";
import { type ImportedLogin, importLogin } from "../accounts/import/import-login.js";
import type { ActiveUpstreams } from "../chat/active-upstreams.js";
import type { ChatCleanup } from "../chat/chat-cleanup.js";
import type { Config } from "../config/schema.js";
import { describeError } from "../core/error-text.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Store } from "../core/store.js";
import { accountMessages } from "../i18n/account-messages.js";
import type { LocalizedText } from "../i18n/text.js";
import type { AccountReport, Accounts } from "./accounts.js";
import { checkAccount } from "./diagnostics/account.js";
import type { Finding } from "./diagnostics/finding.js";
import type { ImportAccountOptions, ImportAccountResult, KimiUser } from "./import-account.js";
import { purgeChats } from "./purge-chats.js";
import { renameAccount } from "./rename-account.js";

/** Where an account is defined: `built-in` is the simulator that answers where there is none. */
export type AccountOrigin = "config" | "login" | "built-in";

/** The origin of an open upstream; `configured`: the names in the configuration. */
export function accountOrigin(
  { name, kind }: { name: string; kind: string },
  configured: readonly string[],
): AccountOrigin {
  if (configured.includes(name)) return "config";
  return kind === "simulator" ? "built-in" : "login";
}

export type AccountAdminOptions = {
  accounts: Accounts;
  store: Store;
  upstreams: ActiveUpstreams;
  cleanup: ChatCleanup;
  /** The configuration in force. */
  config: () => Config;
  /** The configured upstreams, and those of them that a login can be imported for, by name. */
  configured: () => { all: readonly string[]; importable: readonly string[] };
  importInto(
    login: ImportedLogin,
    account: string,
    options: ImportAccountOptions,
  ): Promise<ImportAccountResult>;
  /** Opens the upstreams again where the stored logins have changed. */
  refresh(): Promise<void>;
};

export type ImportRequest = ImportAccountOptions & { name?: string | undefined; dryRun: boolean };

/** What a paste contained, and what became of it. `lines`: what was found and what is missing. */
export type AccountImport = {
  account: string;
  outcome: ImportAccountResult["kind"] | "nothing" | "dry-run";
  lines: readonly LocalizedText[];
  hasRefreshToken: boolean;
  user: KimiUser | undefined;
  problem: LocalizedText | undefined;
  error: GatewayError | undefined;
};

/** Lists, connects, checks and removes accounts while the gateway runs. */
export class AccountAdmin {
  readonly #options: AccountAdminOptions;

  constructor(options: AccountAdminOptions) {
    this.#options = options;
  }

  /** Sends nothing upstream. */
  list(): (AccountReport & { origin: AccountOrigin })[] {
    const { accounts, configured } = this.#options;
    const { all } = configured();
    return accounts.reports().map((report) => {
      const { upstream: name, kind } = report;
      return { ...report, origin: accountOrigin({ name, kind }, all) };
    });
  }

  /** Throws `not_found` for an unknown account, and any GatewayError of the upstream. */
  quota(name: string, signal: AbortSignal) {
    this.#requireOpen(name);
    return this.#options.accounts.quota(name, signal);
  }

  /** Throws `not_found` for an unknown account. */
  check(name: string, signal: AbortSignal): Promise<Finding[]> {
    this.#requireOpen(name);
    const { upstreams, store } = this.#options;
    return upstreams.use(async (active) => {
      const found = active.find(({ upstream }) => upstream.name === name);
      return found ? checkAccount(found.upstream, { offline: false, store, signal }) : [];
    });
  }

  /** Finds a login in a paste, has Kimi verify it, stores it and takes it into use. Throws `invalid_request`. */
  async import(pasted: string, { name, dryRun, ...options }: ImportRequest): Promise<AccountImport> {
    const account = this.#accountFor(name);
    const login = importLogin(pasted);
    if (login.kind === "nothing") return { ...emptyImport(account), problem: login.problem };
    const { summary, rows, notes } = describeImport(login);
    const found = {
      ...emptyImport(account),
      lines: [summary, ...rows.map(({ label, value }) => joinRow(label, value)), ...notes],
      hasRefreshToken: login.tokens.refreshToken !== undefined,
    };
    if (dryRun) return { ...found, outcome: "dry-run" };
    const result = await this.#options.importInto(login, account, options);
    if (result.kind !== "refused") await this.#options.refresh();
    const error = "error" in result ? result.error : undefined;
    return {
      ...found,
      outcome: result.kind,
      user: "user" in result ? result.user : undefined,
      error,
      problem: error && describeError(error),
    };
  }

  /**
   * Forgets the stored login of an account. Its chats are deleted at Kimi first, or left there and forgotten. Throws
   * `not_found` and `invalid_request`.
   */
  async remove(name: string, chats: "delete" | "keep"): Promise<{ deleted: number; left: number }> {
    const { store, cleanup, refresh, configured } = this.#options;
    if (!(await store.findCredentials(name))) {
      throw configured().all.includes(name)
        ? new GatewayError(
            "invalid_request",
            `The account “${name}” is in the configuration and has no stored login. Remove it there.`,
          )
        : noSuchAccount(name);
    }
    const { total } = await store.listChats({ upstream: name, limit: 1 });
    if (chats === "delete") await purgeChats([name], { store, cleanup });
    else await this.#forgetChats(name);
    const { total: left } = await store.listChats({ upstream: name, limit: 1 });
    await store.removeCredentials(name);
    await refresh();
    return chats === "delete" ? { deleted: total - left, left } : { deleted: 0, left: total };
  }

  /**
   * Gives an account from a login another name, which takes effect at once. Resolves to what is to be changed in the
   * configuration. Throws `not_found`, `invalid_request`, and `account_busy` while it answers.
   */
  async rename(from: string, to: string): Promise<readonly LocalizedText[]> {
    const { store, config, refresh } = this.#options;
    const account = this.list().find(({ upstream }) => upstream === from);
    if (account?.origin === "built-in") throw invalidName(accountMessages.isBuiltIn.en);
    if (account && account.running + account.waiting > 0)
      throw new GatewayError("account_busy", accountMessages.isAnswering(from).en);
    const result = await renameAccount({ from, to }, { store, config: config() });
    switch (result.kind) {
      case "unknown":
        throw noSuchAccount(from);
      case "refused":
        throw invalidName(result.reason.en);
      case "renamed":
        await refresh();
        return result.warnings;
    }
  }

  async #forgetChats(upstream: string): Promise<void> {
    const { store } = this.#options;
    for (;;) {
      const { chats } = await store.listChats({ upstream, limit: limits.cleanupBatch });
      if (chats.length === 0) return;
      for (const { chat } of chats) await store.removeChat(upstream, chat, Date.now());
    }
  }

  #requireOpen(name: string): void {
    if (!this.list().some(({ upstream }) => upstream === name)) throw noSuchAccount(name);
  }

  /** The named account, the only one that a login can be for, or `kimi`. Throws `invalid_request`. */
  #accountFor(requested: string | undefined): string {
    const { all, importable } = this.#options.configured();
    const account = requested ?? (importable.length === 1 ? importable[0] : undefined) ?? "kimi";
    if (all.length === 0 || importable.includes(account)) return account;
    const there =
      importable.length === 0 ? "It has none of kind kimi-web." : `It has: ${importable.join(", ")}.`;
    throw new GatewayError("invalid_request", `name: the configuration has no such account. ${there}`, {
      param: "name",
    });
  }
}

function emptyImport(account: string): AccountImport {
  const nothing = { user: undefined, problem: undefined, error: undefined };
  return { account, outcome: "nothing", lines: [], hasRefreshToken: false, ...nothing };
}

function joinRow(label: LocalizedText, value: LocalizedText): LocalizedText {
  return { en: `${label.en}: ${value.en}`, zh: `${label.zh}：${value.zh}` };
}

function invalidName(reason: string): GatewayError {
  return new GatewayError("invalid_request", reason, { param: "name" });
}

function noSuchAccount(name: string): GatewayError {
  return new GatewayError("not_found", accountMessages.noSuchAccount(name).en);
}
