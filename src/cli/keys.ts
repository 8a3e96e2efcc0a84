import { NewKey } from "../config/key-schema.js";
import { checkKey, loadConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConfigError, check } from "../config/validate.js";
import type { KeySettings, Store } from "../core/store.js";
import { createKey, hasExpired, settingsOf } from "../server/auth/api-keys.js";
import { SqliteStore } from "../store/sqlite/store.js";

type Options = { config?: string };
export type AddOptions = Options & { expires?: string; [setting: string]: unknown };

/** `moonbridge keys add NAME`: prints the key, the only time; a server that runs takes it at once. */
export async function addKey(
  name: string,
  { config: file, expires, ...settings }: AddOptions,
): Promise<void> {
  await withStore(file, async (config, store) => {
    const wanted = check({ name, ...settings, ...(expires ? { expires: dateOf(expires) } : {}) }, NewKey);
    checkKey(wanted, config.upstreams);
    const { key, stored } = createKey(name, settingsOf(wanted));
    if (hasExpired(stored.settings)) throw new ConfigError("expires: this time is over already.");
    const isTaken = config.keys.some((each) => each.name === name) || !(await store.addKey(stored));
    if (isTaken)
      throw new ConfigError(`There is a key “${name}” already. Revoke it first, or choose another name.`);
    process.stderr.write("The API key, shown this once; only its hash is kept:\n");
    process.stdout.write(`${key}\n`);
  });
}

/** `moonbridge keys list`: what each key may do, those of the config included; nothing of the keys themselves. */
export async function listKeys({ config: file }: Options): Promise<void> {
  await withStore(file, async (config, store) => {
    const stored = await store.keys();
    const rows = [
      ["NAME", "SCOPES", "CREATED", "EXPIRES", "LIMITS"],
      ...config.keys.map((key) => row(key.name, "in the config", settingsOf(key))),
      ...stored.map(({ name, createdAt, settings }) =>
        row(name, createdAt === undefined ? "unknown" : shown(createdAt), settings),
      ),
    ];
    const widths =
      rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
    for (const cells of rows) {
      const line = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
      process.stdout.write(`${line.trimEnd()}\n`);
    }
  });
}

/** `moonbridge keys revoke NAME`: the key and all tokens that were issued for it open nothing any more. */
export async function revokeKey(name: string, { config: file }: Options): Promise<void> {
  await withStore(file, async (config, store) => {
    if (await store.removeKey(name)) {
      process.stdout.write(`The key “${name}” is revoked.\n`);
      return;
    }
    const isConfigured = config.keys.some((key) => key.name === name);
    throw new ConfigError(
      isConfigured
        ? `The key “${name}” stands in the config. Take it out there and start Moonbridge again.`
        : `There is no key “${name}”. “moonbridge keys list” shows those there are.`,
    );
  });
}

async function withStore(
  file: string | undefined,
  work: (config: Config, store: Store) => Promise<void>,
): Promise<void> {
  const config = await loadConfig({ config: file }, process.env);
  const store = await SqliteStore.open(config.storePath, config.sealKeys);
  try {
    await work(config, store);
  } finally {
    await store.close();
  }
}

/** `30d`, `12h` from now on, or a date as it stands. */
function dateOf(expires: string): string {
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(expires) ?? [];
  if (count === undefined) return expires;
  const hours = Number(count) * (unit === "d" ? 24 : 1);
  return new Date(Date.now() + hours * 3_600_000).toISOString();
}

function row(name: string, created: string, { scopes, expires, ...settings }: KeySettings): string[] {
  const limits = Object.entries(settings).map(([setting, value]) => `${setting}=${String(value)}`);
  return [
    name,
    scopes.join(","),
    created,
    expires === undefined ? "never" : `${shown(expires)}${hasExpired({ expires }) ? " (over)" : ""}`,
    limits.join(" ") || "none",
  ];
}

function shown(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}
