import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { configMessages } from "../i18n/config-messages.js";
import type { LocalizedText } from "../i18n/text.js";
import type { Environment } from "../lib/environment-variables.js";
import { findPlatformFolders, thisMachine } from "./platform-folders.js";
import { ConfigError } from "./validate.js";

/**
 * The config file, by an absolute path. `named`: by `--config` or MOONBRIDGE_CONFIG, so that it must exist.
 * `none`: there is no file at the paths that were searched.
 */
export type ConfigFileLocation =
  | { kind: "named" | "current folder" | "platform folder"; path: string }
  | { kind: "none"; searched: readonly string[] };

/** The named file, else `config.json` in the current folder, else the one in the platform's config folder. */
export function locateConfigFile(named: string | undefined, environment: Environment): ConfigFileLocation {
  if (named !== undefined) return { kind: "named", path: resolve(named) };
  const inCurrentFolder = resolve("config.json");
  if (existsSync(inCurrentFolder)) return { kind: "current folder", path: inCurrentFolder };
  const folders = findPlatformFolders(thisMachine(environment));
  if (folders === undefined) return { kind: "none", searched: [inCurrentFolder] };
  const inPlatformFolder = join(folders.config, "config.json");
  if (existsSync(inPlatformFolder)) return { kind: "platform folder", path: inPlatformFolder };
  return { kind: "none", searched: [inCurrentFolder, inPlatformFolder] };
}

/** What relative paths of the configuration are relative to: the config file's folder, else the current one. */
export function baseFolder(configFile: ConfigFileLocation): string {
  return configFile.kind === "none" ? process.cwd() : dirname(configFile.path);
}

/**
 * The absolute path of the database where the setting `store` names none: `moonbridge.db` beside a config file that was named
 * or is in the current folder, else in the platform's data folder. Throws ConfigError where the user has no such folder.
 */
export function locateDatabase(configFile: ConfigFileLocation, environment: Environment): string {
  if (configFile.kind === "named" || configFile.kind === "current folder")
    return join(dirname(configFile.path), "moonbridge.db");
  const folders = findPlatformFolders(thisMachine(environment));
  if (folders === undefined) throw new ConfigError(configMessages.noHome);
  return join(folders.data, "moonbridge.db");
}

/**
 * A warning about a database that is not used although a person may expect its logins and keys: that of the current
 * folder, which an earlier version made without a config file, or that of the user's data folder, when a new config file
 * in the current folder gets one of its own. Undefined if there is none. For the default of the setting only.
 */
export function describeUnusedDatabase(
  path: string,
  configFile: ConfigFileLocation,
  environment: Environment,
): LocalizedText | undefined {
  const other = findOtherDatabase(path, configFile, environment);
  if (other === undefined || other === path || !existsSync(other)) return undefined;
  return configMessages.unusedDatabase(path, other);
}

function findOtherDatabase(path: string, { kind }: ConfigFileLocation, environment: Environment) {
  switch (kind) {
    case "named":
      return undefined;
    case "current folder": {
      const folders = findPlatformFolders(thisMachine(environment));
      return folders === undefined || existsSync(path) ? undefined : join(folders.data, "moonbridge.db");
    }
    case "platform folder":
    case "none":
      return resolve("moonbridge.db");
  }
}
