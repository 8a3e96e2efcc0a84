import { isDeepStrictEqual } from "node:util";
import { isObject } from "../lib/json.js";
import type { Config } from "./schema.js";

/** The settings whose parts of `Config` have another name. */
const settingNames: Readonly<Record<string, string>> = {
  sideRequestPatterns: "chores.patterns",
};

/** Parts of `Config` that are no settings of the file. */
const noSettings: ReadonlySet<string> = new Set(["configFile", "encryptionKeys", "proxies", "warnings"]);

/** Sections whose settings are compared and named one by one. */
const sections: ReadonlySet<string> = new Set([
  "server",
  "chats",
  "streams",
  "queue",
  "files",
  "tools",
  "notify",
  "journal",
  "log",
]);

/** The names of the settings that differ, such as `server.port`. */
export function changedSettings(before: Config, after: Config): string[] {
  const one = settingValues(before);
  const other = settingValues(after);
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => !isDeepStrictEqual(one.get(name), other.get(name)));
}

/** The changed settings that need a restart; `started`: the configuration of the start. */
export function settingsForRestart(started: Config, after: Config): string[] {
  return changedSettings(keepStartedSettings(after, started), after);
}

/** The configuration with the settings that need a restart as they were at the start. */
export function keepStartedSettings(config: Config, started: Config): Config {
  const { host, port, alsoListen, tls: startedTls } = started.server;
  const { tls: newTls, ...server } = config.server;
  // Another certificate takes effect at once; whether there is one does not.
  const tls = startedTls && (newTls ?? startedTls);
  return {
    ...config,
    server: { ...server, host, port, alsoListen, ...(tls ? { tls } : {}) },
    files: { ...config.files, folder: started.files.folder },
    store: started.store,
    encryptionKeys: started.encryptionKeys,
  };
}

function settingValues(config: Config): Map<string, unknown> {
  const entries = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    if (noSettings.has(key)) return [];
    if (!sections.has(key) || !isObject(value)) return [[settingNames[key] ?? key, value]];
    return Object.entries(value).map(([setting, each]) => [`${key}.${setting}`, each]);
  });
  return new Map(entries);
}
