import { createInterface } from "node:readline/promises";
import { withChatPurge } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { ConfigError } from "../config/validate.js";
import { printError, printLine } from "./print.js";

export type PurgeOptions = { config?: string; yes?: boolean };

/**
 * `moonbridge chats purge`: deletes at Kimi all chats that Moonbridge has created, after a confirmation. Exits with 1 if some
 * are left.
 */
export async function purge({ config: file, yes = false }: PurgeOptions): Promise<void> {
  const config = await loadAppConfig({ config: file }, process.env);
  await withChatPurge(config, async ({ count, run }) => {
    if (count === 0) return printLine("Moonbridge has no chats at Kimi.");
    if (!yes && !(await confirm(count))) return printLine("Nothing was deleted.");
    const { deleted, remaining } = await run();
    printLine(`${deleted} chats are deleted.`);
    if (remaining === 0) return;
    printError(
      `${remaining} chats are left: they are being answered, or Kimi could not delete them. A running Moonbridge tries again by itself.`,
    );
    process.exitCode = 1;
  });
}

/** Asks on the terminal. Throws ConfigError where there is none. */
async function confirm(count: number): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new ConfigError("“chats purge” asks before it deletes. Add --yes where nobody can answer.");
  printLine(`Moonbridge has made ${count} chats at Kimi. Your own chats there are not touched.`);
  printLine("UIs keep their conversations and continue them in new chats.");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question("Delete them all? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}
