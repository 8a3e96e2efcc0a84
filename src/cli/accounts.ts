import { listAccounts, renameStoredAccount } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { accountMessages } from "../i18n/account-messages.js";
import { adminMessages as messages } from "../i18n/admin-messages.js";
import { printError, printLine, translate } from "./print.js";
import { printTable } from "./print-table.js";

/** `moonbridge accounts`: the accounts of the configuration and of the store, from local state, as a table or as JSON. */
export async function accounts({ config: file, json }: { config?: string; json?: boolean }): Promise<void> {
  const config = await loadAppConfig({ config: file }, process.env);
  for (const warning of config.warnings) printError(warning);
  const list = await listAccounts(config);
  if (json) {
    const objects = list.map(({ name, kind, origin, status: { state, detail, ...times } }) => {
      const expires = "expiresAt" in times && times.expiresAt !== undefined ? dateOf(times.expiresAt) : null;
      return { name, kind, origin, state, detail, expires_at: expires };
    });
    printLine(JSON.stringify(objects));
    return;
  }
  const rows = list.map(({ name, kind, origin, status }) => [
    ...[name, kind, translate(messages.origins[origin]), translate(messages.accountStates[status.state])],
    "expiresAt" in status && status.expiresAt !== undefined ? dateOf(status.expiresAt).slice(0, 10) : "",
  ]);
  printTable(Object.values(messages.accountColumns), rows);
}

/** `moonbridge accounts rename OLD NEW`. Exits with 1 if the account cannot have that name. */
export async function renameAccount(
  names: { from: string; to: string },
  { config: file }: { config?: string },
): Promise<void> {
  const config = await loadAppConfig({ config: file }, process.env);
  for (const warning of config.warnings) printError(warning);
  const result = await renameStoredAccount(config, names);
  if (result.kind !== "renamed") {
    printError(result.reason);
    process.exitCode = 1;
    return;
  }
  for (const warning of result.warnings) printError(warning);
  printLine(accountMessages.renamed(names.from, names.to));
  printLine(accountMessages.renameTakesEffect);
}

function dateOf(time: number): string {
  return new Date(time).toISOString();
}
