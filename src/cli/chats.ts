import { withChatPurge } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { maintenanceMessages as messages } from "../i18n/maintenance-messages.js";
import { confirm } from "./confirm.js";
import { printError, printLine } from "./print.js";

export type PurgeOptions = { config?: string; yes?: boolean };

/**
 * `moonbridge chats purge`: deletes at Kimi all chats that Moonbridge has created, after a confirmation. Exits with 1 if some
 * are left.
 */
export async function purge({ config: file, yes = false }: PurgeOptions): Promise<void> {
  const config = await loadAppConfig({ config: file }, process.env);
  await withChatPurge(config, async ({ count, run }) => {
    if (count === 0) return printLine(messages.noChats);
    if (!yes && !(await confirmPurge(count))) return printLine(messages.nothingDeleted);
    const { deleted, remaining } = await run();
    printLine(messages.chatsDeleted(deleted));
    if (remaining === 0) return;
    printError(messages.chatsLeft(remaining));
    process.exitCode = 1;
  });
}

function confirmPurge(count: number): Promise<boolean> {
  return confirm({
    lines: [messages.purgeWarning(count), messages.purgeEffect],
    question: messages.purgeQuestion,
    needsTerminal: messages.purgeNeedsYes,
  });
}
