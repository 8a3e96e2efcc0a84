import { Type } from "@sinclair/typebox";
import { describeImport } from "../accounts/import/describe-import.js";
import { type ImportedLogin, importLogin } from "../accounts/import/import-login.js";
import type { ImportAccountResult, KimiUser } from "../admin/import-account.js";
import { accountNames, importAccountIntoStore } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { NameSchema, UrlSchema } from "../config/field-schemas.js";
import type { Config } from "../config/schema.js";
import { ConfigError, checkSchema } from "../config/validate.js";
import type { GatewayError } from "../core/errors.js";
import { printError, printLine } from "./print.js";
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
  if (pasted === undefined) return fail("Nothing was stored.");
  const imported = importLogin(pasted);
  if (imported.kind === "nothing") return fail(imported.problem);
  for (const line of describeImport(imported)) printLine(line);

  const result = await importAccountIntoStore(config, imported, account, options);
  printResult(result, imported);
  if (result.kind === "refused") return;
  if ("keptRefreshToken" in result && result.keptRefreshToken)
    printLine("The refresh token that was stored for this user is kept: the login goes on renewing itself.");
  printLine(`Stored as the account “${account}” in ${config.storePath}.`);
  printLine("Next: start Moonbridge. One that runs already uses it within 15 seconds.");
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
  const availableNames =
    names.length === 0 ? 'It needs one of kind "kimi-web".' : `It has: ${names.join(", ")}.`;
  throw new ConfigError(`--name: the configuration has no such account. ${availableNames}`);
}

function printResult(result: ImportAccountResult, login: ImportedLogin): void {
  switch (result.kind) {
    case "stored-unverified":
      printLine("Kimi was not asked whether it accepts this login.");
      break;
    case "verified":
      printLine(
        `Kimi accepts this login${result.refreshed ? " and has renewed it" : ""}: ${displayName(result.user)}.`,
      );
      break;
    case "stored-after-failure":
      printError(result.error.message);
      break;
    case "refused":
      fail(`${result.error.message} Nothing was stored.${remedyFor(result.error, login)}`);
      break;
  }
}

function remedyFor({ code, retryable }: GatewayError, { isSiteAssumed }: ImportedLogin): string {
  if (retryable) return " --offline stores it without asking Kimi.";
  if (code !== "account_login_required" || !isSiteAssumed) return "";
  return " If this login is one of kimi.ai, add --base-url https://www.kimi.ai.";
}

/** The user's nickname and id. */
function displayName({ id, nickname }: KimiUser): string {
  const nicknamePrefix = nickname === undefined ? "" : `“${nickname}”, `;
  return `${nicknamePrefix}user ${id}`;
}

function fail(message: string): void {
  printError(message);
  process.exitCode = 1;
}
