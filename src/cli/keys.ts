import type { ApiKeyAdmin, ListedApiKey } from "../admin/api-keys.js";
import { withApiKeyAdmin } from "../app/admin-tasks.js";
import { loadAppConfig } from "../app/load-config.js";
import { hasExpired } from "../core/api-key.js";
import { printError, printLine } from "./print.js";

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
    process.stderr.write("The API key, shown this once; only its hash is kept:\n");
    printLine(key);
  });
}

/**
 * `moonbridge keys list`: a table of names, scopes, times and limits of all keys, those of the config included, with what is
 * used of daily budgets.
 */
export async function listKeys({ config: file }: Options): Promise<void> {
  await withKeys(file, async (keys) => {
    const rows = [["NAME", "SCOPES", "CREATED", "EXPIRES", "LIMITS"], ...(await keys.list()).map(toTableRow)];
    const widths =
      rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
    for (const cells of rows) {
      const line = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
      printLine(line.trimEnd());
    }
  });
}

/** `moonbridge keys revoke NAME`: the key and all tokens issued for it stop working. */
export async function revokeKey(name: string, { config: file }: Options): Promise<void> {
  await withKeys(file, async (keys) => {
    await keys.revoke(name);
    printLine(`The key “${name}” is revoked.`);
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

function toTableRow({
  name,
  origin,
  createdAt,
  usedToday,
  settings: { scopes, expires, ...settings },
}: ListedApiKey): string[] {
  const used: Record<string, number | undefined> = {
    requestsPerDay: usedToday?.requests,
    tokensPerDay: usedToday?.tokens,
  };
  const limits = Object.entries(settings).map(([setting, value]) => {
    const ofToday = used[setting] === undefined ? "" : ` (${used[setting]} today)`;
    return `${setting}=${String(value)}${ofToday}`;
  });
  const created = createdAt === undefined ? "unknown" : formatTime(createdAt);
  return [
    name,
    scopes.join(","),
    origin === "config" ? "in the config" : created,
    expires === undefined ? "never" : `${formatTime(expires)}${hasExpired({ expires }) ? " (over)" : ""}`,
    limits.join(" ") || "none",
  ];
}

function formatTime(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}
