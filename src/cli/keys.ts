import type { ApiKeyAdmin, ListedApiKey } from "../admin/api-keys.js";
import { withApiKeyAdmin } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { hasExpired } from "../core/api-key.js";
import { keyMessages as messages } from "../i18n/key-messages.js";
import type { LocalizedText } from "../i18n/text.js";
import { printError, printLine, translate } from "./print.js";
import { printTable } from "./print-table.js";

type Options = { config?: string };
export type AddOptions = Options & { expires?: string; [setting: string]: unknown };

/** `moonbridge keys add NAME`: prints the new key to stdout, the only time it is shown. */
export async function addKey(
  name: string,
  { config: file, expires, ...settings }: AddOptions,
): Promise<void> {
  await withKeys(file, async (keys) => {
    const { key, warning } = await keys.add(name, {
      ...settings,
      ...(expires ? { expires: parseExpiry(expires) } : {}),
    });
    if (warning !== undefined) printError(warning);
    process.stderr.write(`${translate(messages.shownOnce)}\n`);
    printLine(key);
  });
}

/**
 * `moonbridge keys list`: a table of names, scopes, times and limits of all keys, those of the config included, with what is
 * used of daily budgets.
 */
export async function listKeys({ config: file }: Options): Promise<void> {
  await withKeys(file, async (keys) => {
    printTable(Object.values(messages.columns), (await keys.list()).map(toTableRow));
  });
}

/** `moonbridge keys revoke NAME`: the key and all tokens issued for it stop working. */
export async function revokeKey(name: string, { config: file }: Options): Promise<void> {
  await withKeys(file, async (keys) => {
    await keys.revoke(name);
    printLine(messages.revoked(name));
  });
}

async function withKeys(file: string | undefined, task: (keys: ApiKeyAdmin) => Promise<void>): Promise<void> {
  const config = await loadAppConfig({ config: file }, process.env);
  for (const warning of config.warnings) printError(warning);
  await withApiKeyAdmin(config, task);
}

/** `30d` and `12h` count from now; any other text is a date and stays as it is. */
function parseExpiry(expires: string): string {
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(expires) ?? [];
  if (count === undefined) return expires;
  const hours = Number(count) * (unit === "d" ? 24 : 1);
  return new Date(Date.now() + hours * 3_600_000).toISOString();
}

/** The cells in the order of `messages.columns`. */
function toTableRow({
  name,
  origin,
  createdAt,
  lastUsedAt,
  usedToday,
  settings: { scopes, expires, ...settings },
}: ListedApiKey): string[] {
  const used: Record<string, number | undefined> = {
    requestsPerDay: usedToday?.requests,
    tokensPerDay: usedToday?.tokens,
  };
  const limits = Object.entries(settings).map(([setting, value]) => {
    const count = used[setting];
    return `${setting}=${String(value)}${count === undefined ? "" : translate(messages.ofToday(count))}`;
  });
  const isOver = expires !== undefined && hasExpired({ expires });
  return [
    name,
    scopes.join(","),
    origin === "config" ? translate(messages.inTheConfig) : formatTime(createdAt, messages.unknownTime),
    formatTime(lastUsedAt, messages.never),
    formatTime(expires, messages.noEnd) + (isOver ? translate(messages.over) : ""),
    limits.join(" ") || translate(messages.noLimits),
  ];
}

/** Minutes of UTC; `otherwise` without a time. */
function formatTime(time: number | undefined, otherwise: LocalizedText): string {
  if (time === undefined) return translate(otherwise);
  return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}
