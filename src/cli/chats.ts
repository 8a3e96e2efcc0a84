import { createInterface } from "node:readline/promises";
import { withChatPurge } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { ConfigError } from "../config/validate.js";
import { maintenanceMessages as messages } from "../i18n/maintenance-messages.js";
import { printError, printLine, translate } from "./print.js";

export type PurgeOptions = { config?: string; yes?: boolean };

/**
 * `moonbridge chats purge`: deletes at Kimi all chats that Moonbridge has created, after a confirmation. Exits with 1 if some
 * are left.
 */
export async function purge({ config: file, yes = false }: PurgeOptions): Promise<void> {
  const config = await loadAppConfig({ config: file }, process.env);
  await withChatPurge(config, async ({ count, run }) => {
    if (count === 0) return printLine(messages.noChats);
    if (!yes && !(await confirm(count))) return printLine(messages.nothingDeleted);
    const { deleted, remaining } = await run();
    printLine(messages.chatsDeleted(deleted));
    if (remaining === 0) return;
    printError(messages.chatsLeft(remaining));
    process.exitCode = 1;
  });
}

/** Asks on the terminal. Throws ConfigError where there is none. */
async function confirm(count: number): Promise<boolean> {
  if (!process.stdin.isTTY) throw new ConfigError(messages.purgeNeedsYes);
  printLine(messages.purgeWarning(count));
  printLine(messages.purgeEffect);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(translate(messages.purgeQuestion))).trim());
  } finally {
    terminal.close();
  }
}
