import { dayRange } from "../admin/journal-reader.js";
import { withJournal } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import type { UsageGroup } from "../core/journal.js";
import { adminMessages as messages } from "../i18n/admin-messages.js";
import { printError, printLine, translate } from "./print.js";
import { printTable } from "./print-table.js";

export type UsageOptions = { config?: string; by?: UsageGroup; from?: string; to?: string; json?: boolean };

/** `moonbridge usage`: requests, failures and tokens by day and key, model, account or outcome; the last 30 days by default. */
export async function usage({ config: file, by = "key", from, to, json }: UsageOptions): Promise<void> {
  const config = await loadAppConfig({ config: file }, process.env);
  for (const warning of config.warnings) printError(warning);
  await withJournal(config, async (journal) => {
    const sums = await journal.dailyUsage(by, dayRange(from, to));
    if (json) {
      printLine(JSON.stringify(sums));
      return;
    }
    if (sums.length === 0) {
      printError(translate(messages.noUsage));
      return;
    }
    const rows = sums.map(({ day, name, requests, failed, cancelled, inputTokens, outputTokens }) => [
      ...[day, name === "" ? "-" : name],
      ...[requests, failed, cancelled, inputTokens, outputTokens].map(String),
    ]);
    printTable(Object.values(messages.usageColumns), rows);
  });
}
