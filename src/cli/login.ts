import { Type } from "@sinclair/typebox";
import { describeImport } from "../accounts/import/describe-import.js";
import { type ImportedLogin, importLogin } from "../accounts/import/import-login.js";
import type { ImportAccountResult, KimiUser } from "../admin/import-account.js";
import { accountNames, importAccountIntoStore } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { NameSchema, UrlSchema } from "../config/field-schemas.js";
import type { Config } from "../config/schema.js";
import { describeStore } from "../config/store-location.js";
import { ConfigError, checkSchema } from "../config/validate.js";
import { describeError } from "../core/error-text.js";
import type { GatewayError } from "../core/errors.js";
import { commandMessages } from "../i18n/command-messages.js";
import { loginMessages as messages } from "../i18n/login-messages.js";
import { joinSentences, type LocalizedText } from "../i18n/text.js";
import { columnsOf, padColumns, printError, printLine, span, translate } from "./print.js";
import { withProgress } from "./progress.js";
import { readPaste } from "./read-paste.js";

export type LoginOptions = {
  config?: string;
  name?: string;
  file?: string;
  offline?: boolean;
  baseUrl?: string;
  authUrl?: string;
};

const Addresses = Type.Object({ baseUrl: Type.Optional(UrlSchema), authUrl: Type.Optional(UrlSchema) });

/** `moonbridge login`: imports the pasted login, verifies it with Kimi and stores it. Exits with 1 if nothing was stored. */
export async function login(options: LoginOptions): Promise<void> {
  const config = await loadAppConfig({ config: options.config }, process.env);
  for (const warning of config.warnings) printError(warning);
  const account = accountFor(config, options.name);
  checkSchema(options, Addresses);
  const pasted = await readPaste(options.file);
  if (pasted === undefined) return fail(messages.nothingStored);
  const imported = importLogin(pasted);
  if (imported.kind === "nothing") return fail(imported.problem);
  printImport(imported);

  const work = importAccountIntoStore(config, imported, account, options);
  const result = await withProgress(commandMessages.askingKimi, work);
  printResult(result, imported);
  if (result.kind === "refused") return;
  if ("keptRefreshToken" in result && result.keptRefreshToken) printLine(messages.keptRefreshToken);
  printLine(span("good", messages.stored(account, describeStore(config.store))));
  printLine(messages.next);
}

function printImport(login: ImportedLogin): void {
  const { summary, rows, notes } = describeImport(login);
  const width = Math.max(...rows.map(({ label }) => columnsOf(translate(label))));
  printLine(summary);
  for (const { label, value } of rows)
    printLine("  ", span("label", padColumns(translate(label), width + 2)), value);
  for (const note of notes) printLine(note);
}

/** The `kimi-web` upstream that the login is for: the named one, the only one, or `kimi`. Throws ConfigError. */
function accountFor(config: Config, requestedName: string | undefined): string {
  const names = accountNames(config);
  const account = checkSchema(
    requestedName ?? (names.length === 1 ? names[0] : "kimi"),
    NameSchema,
    "--name",
  );
  if (config.upstreams.length === 0 || names.includes(account)) return account;
  throw new ConfigError(messages.noSuchAccount(names));
}

function printResult(result: ImportAccountResult, login: ImportedLogin): void {
  switch (result.kind) {
    case "stored-unverified":
      printLine(messages.unverified);
      break;
    case "verified":
      printLine(messages.verified(displayName(result.user), result.refreshed));
      break;
    case "stored-after-failure":
      printError(describeError(result.error));
      break;
    case "refused":
      fail(
        joinSentences(
          describeError(result.error),
          messages.nothingStored,
          ...remediesFor(result.error, login),
        ),
      );
      break;
  }
}

function remediesFor({ code, retryable }: GatewayError, { isSiteAssumed }: ImportedLogin): LocalizedText[] {
  if (retryable) return [messages.storeOffline];
  return code === "account_login_required" && isSiteAssumed ? [messages.tryOtherSite] : [];
}

/** The user's nickname and id. */
function displayName({ id, nickname }: KimiUser): LocalizedText {
  return messages.user(id, nickname);
}

function fail(message: LocalizedText): void {
  printError(message);
  process.exitCode = 1;
}
