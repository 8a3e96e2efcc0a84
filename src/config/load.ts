import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type ParseError, parse } from "jsonc-parser";
import { stripBearer } from "../core/token.js";
import { configMessages } from "../i18n/config-messages.js";
import type { Message } from "../i18n/text.js";
import type { Environment } from "../lib/environment-variables.js";
import { errorCode } from "../lib/error-code.js";
import { isObject } from "../lib/json.js";
import { checkEnvironment } from "./check-environment.js";
import { readEncryptionKeys } from "./encryption-keys.js";
import { readEnvironment } from "./environment.js";
import {
  baseFolder,
  type ConfigFileLocation,
  describeUnusedDatabase,
  locateConfigFile,
  locateDatabase,
} from "./file-locations.js";
import { decodeFile, describeParseError } from "./file-text.js";
import { checkKeyText, type KeyConfig } from "./key-schema.js";
import { checkModelNames } from "./model-names.js";
import { readProxyVariables } from "./proxy-variables.js";
import { type Config, type ConfigFile, ConfigFileSchema } from "./schema.js";
import { parseStoreLocation, type StoreLocation } from "./store-location.js";
import { readTlsFiles } from "./tls.js";
import { parseUpstreams, type UpstreamConfig, type UpstreamSettings } from "./upstream-settings.js";
import { readTokens } from "./upstream-tokens.js";
import { ConfigError, checkSchema } from "./validate.js";

/** Options of the command line: the path of the config file, and settings that override it. */
export type CommandLineOptions = { config?: string | undefined; host?: string; port?: number };

/** The upstream kinds that the configuration may have. `accountKind`: the kind of the account in the short form. */
export type ConfigurableUpstreams = { kinds: readonly UpstreamSettings[]; accountKind: string };

type Settings = Record<string, unknown>;

/**
 * Loads the configuration from command line, environment and file, in this order of precedence. Throws ConfigError.
 * `locateConfigFile` and `locateDatabase` say which files are used.
 */
export async function loadConfig(
  commandLine: CommandLineOptions,
  environment: Environment,
  { kinds, accountKind }: ConfigurableUpstreams,
): Promise<Config> {
  const { variables, warnings } = checkEnvironment(environment);
  const configFile = locateConfigFile(commandLine.config ?? variables.MOONBRIDGE_CONFIG, environment);
  const file = await readConfigFile(configFile);
  // "chats": "native" is short for "chats": { "mode": "native" }.
  const { chats } = file;
  const longForm = typeof chats === "string" ? { ...file, chats: { mode: chats } } : file;
  const merged = merge(longForm, readEnvironment(variables), readCommandLine(commandLine));
  const settings = checkSchema(merged, ConfigFileSchema);
  const upstreams = [
    ...upstreamsFromShortForm(settings, accountKind, warnings),
    ...parseUpstreams(settings.upstreams, kinds, warnings),
  ];
  const keys = [...keysFromShortForm(settings), ...settings.keys];
  checkUniqueNames(keys, "keys");
  checkUniqueNames(upstreams, "upstreams");
  if (settings.token !== undefined) checkKeyText(stripBearer(settings.token), "token");
  settings.keys.forEach((key, index) => {
    checkKeyText(key.key, `keys[${index}].key`);
    checkKeySettings(key, upstreams, `keys[${index}].`);
  });
  const { tls, ...server } = settings.server;
  const { routes, modelAliases, citations, streams, queue, files, tools } = settings;
  const { notify, journal, log } = settings;
  if (journal.texts) warnings.push(configMessages.textsKept);
  checkModelNames({ routes, modelAliases }, upstreams);
  checkSideRequestPatterns(settings.chores.patterns);
  const store = locateStore(settings.store, configFile, environment, warnings);
  const folder = locateFilesFolder(files.folder, { store, configFile, environment, warnings });
  return {
    configFile,
    server: {
      ...server,
      ...(tls ? { tls: await readTlsFiles(tls, baseFolder(configFile), warnings) } : {}),
    },
    keys,
    ...(settings.oauth ? { oauth: settings.oauth } : {}),
    upstreams,
    routes,
    modelAliases,
    chats: settings.chats,
    citations,
    sideRequestPatterns: settings.chores.patterns,
    streams,
    queue,
    files: { ...files, folder },
    tools,
    notify,
    store,
    encryptionKeys: readEncryptionKeys(variables),
    journal,
    proxies: readProxyVariables(environment),
    log,
    warnings,
  };
}

function locateStore(
  setting: string | undefined,
  configFile: ConfigFileLocation,
  environment: Environment,
  warnings: Message[],
): StoreLocation {
  if (setting !== undefined) return parseStoreLocation(setting, configFile);
  const path = locateDatabase(configFile, environment);
  const unusedDatabase = describeUnusedDatabase(path, configFile, environment);
  if (unusedDatabase !== undefined) warnings.push(unusedDatabase);
  return { kind: "sqlite", path };
}

/** By default next to the database, where files can be written; with Redis, where the database would be. */
function locateFilesFolder(
  setting: string | undefined,
  place: {
    store: StoreLocation;
    configFile: ConfigFileLocation;
    environment: Environment;
    warnings: Message[];
  },
): string {
  if (setting) return resolve(baseFolder(place.configFile), setting);
  const { store } = place;
  const database = store.kind === "sqlite" ? store.path : locateDatabase(place.configFile, place.environment);
  const folder = `${database.replace(/\.db$/, "")}-files`;
  if (store.kind === "redis") place.warnings.push(configMessages.filesOnThisMachine(folder));
  return folder;
}

/** The settings of the file; none if there is no file. Throws ConfigError. */
async function readConfigFile(location: ConfigFileLocation): Promise<Settings> {
  if (location.kind === "none") return {};
  const { path } = location;
  let text: string;
  try {
    text = decodeFile(await readFile(path), path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    // Docker makes a folder of a file that it is to mount and does not find.
    if (errorCode(cause) === "EISDIR") throw new ConfigError(configMessages.fileIsFolder(path));
    const isMissing = errorCode(cause) === "ENOENT";
    throw new ConfigError(
      isMissing ? configMessages.missingFile(path) : configMessages.unreadableFile(path),
      {
        cause,
      },
    );
  }
  const errors: ParseError[] = [];
  const settings: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors[0]) throw new ConfigError(configMessages.notJson(path, describeParseError(text, errors[0])));
  if (!isObject(settings)) throw new ConfigError(configMessages.expectedObject(path));
  return { ...settings };
}

function readCommandLine({ host, port }: CommandLineOptions): Settings {
  const server = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
  return Object.keys(server).length > 0 ? { server } : {};
}

/** Merges section by section; later layers take precedence. */
function merge(...layers: readonly Settings[]): Settings {
  const merged: Settings = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const base = merged[key];
      merged[key] = isObject(base) && isObject(value) ? { ...base, ...value } : value;
    }
  }
  return merged;
}

/** `token` of the short form, which is reverse-kimi's file format (original.md §2): one key with all scopes. */
function keysFromShortForm({ token }: ConfigFile): KeyConfig[] {
  return token === undefined ? [] : [{ name: "token", key: stripBearer(token), scopes: ["chat", "admin"] }];
}

/** `auth_token` and `refresh_token` of the short form (original.md §2): one Kimi account. */
function upstreamsFromShortForm(settings: ConfigFile, kind: string, warnings: Message[]): UpstreamConfig[] {
  const { auth_token, refresh_token } = settings;
  const configured = {
    ...(auth_token === undefined ? {} : { accessToken: auth_token }),
    ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
  };
  const names = { accessToken: "auth_token", refreshToken: "refresh_token" };
  const tokens = readTokens(configured, names, warnings);
  if (!tokens.accessToken && !tokens.refreshToken) return [];
  return [{ name: "kimi", kind, ...tokens }];
}

function checkUniqueNames(items: readonly { name: string }[], section: string): void {
  const names = new Set<string>();
  items.forEach((item, index) => {
    if (names.has(item.name)) throw new ConfigError(configMessages.nameIsTaken(`${section}[${index}].name`));
    names.add(item.name);
  });
}

/**
 * Checks what the schema cannot express: that the date exists and the upstreams are configured. Throws ConfigError;
 * `pathPrefix` precedes the setting's name in its message.
 */
export function checkKeySettings(
  { expires, upstreams: names = [] }: Pick<KeyConfig, "expires" | "upstreams">,
  upstreams: readonly UpstreamConfig[],
  pathPrefix = "",
): void {
  if (expires !== undefined && !isExistingTime(expires))
    throw new ConfigError(configMessages.noSuchTime(`${pathPrefix}expires`));
  const unknown = names.find((name) => !upstreams.some((upstream) => upstream.name === name));
  if (unknown !== undefined)
    throw new ConfigError(configMessages.noSuchUpstream(`${pathPrefix}upstreams`, unknown));
}

/** False for 31 April as well, which `Date.parse` takes for 1 May. */
function isExistingTime(time: string): boolean {
  const day = time.slice(0, "2026-12-31".length);
  return !Number.isNaN(Date.parse(time)) && new Date(day).toISOString().startsWith(day);
}

function checkSideRequestPatterns(patterns: readonly string[]): void {
  patterns.forEach((pattern, index) => {
    try {
      new RegExp(pattern);
    } catch {
      throw new ConfigError(configMessages.expectedRegularExpression(`chores.patterns[${index}]`));
    }
  });
}
