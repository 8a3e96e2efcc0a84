import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { errorCode } from "../lib/error-code.js";
import { isObject } from "../lib/json.js";
import { sealKeys } from "./encryption-keys.js";
import { type Environment, fromEnvironment } from "./environment.js";
import type { KeyConfig } from "./key-schema.js";
import { Chats, type Config, ConfigFile, Files, Queue, Server } from "./schema.js";
import type { UpstreamConfig } from "./upstream-schema.js";
import { ConfigError, check, checkUpstreams } from "./validate.js";

export type CommandLine = { config?: string | undefined; host?: string; port?: number };

type Settings = Record<string, unknown>;

/**
 * The configuration from command line, environment and file, in this order of precedence. Throws ConfigError.
 * The file is `--config`, else MOONBRIDGE_CONFIG, else `config.json` in this folder if there is one.
 */
export async function loadConfig(commandLine: CommandLine, environment: Environment): Promise<Config> {
  const { path, isNamed } = configFile(commandLine, environment);
  const file = await readConfigFile(path, isNamed);
  const given = merge(file, fromEnvironment(environment), fromCommandLine(commandLine));
  // "chats": "native" is short for "chats": { "mode": "native" }.
  const settings = check(
    typeof given.chats === "string" ? { ...given, chats: { mode: given.chats } } : given,
    ConfigFile,
  );
  const warnings: string[] = [];
  const upstreams = [...originalUpstream(settings, warnings), ...checkUpstreams(settings.upstreams ?? [])];
  const keys = [...originalKey(settings), ...(settings.keys ?? [])];
  checkNames(keys, "keys");
  checkNames(upstreams, "upstreams");
  settings.keys?.forEach((key, index) => {
    checkKey(key, upstreams, `keys[${index}].`);
  });
  checkRoutes(settings.routes ?? {}, upstreams);
  checkPatterns(settings.chores?.patterns ?? []);
  const storePath = resolve(dirname(path), settings.store?.slice("sqlite:".length) ?? "moonbridge.db");
  const files = check(settings.files ?? {}, Files, "files");
  // Beside the database unless told: where that may be written, files may.
  const folder = files.folder
    ? resolve(dirname(path), files.folder)
    : `${storePath.replace(/\.db$/, "")}-files`;
  return {
    server: check(settings.server ?? {}, Server, "server"),
    keys,
    ...(settings.oauth ? { oauth: settings.oauth } : {}),
    upstreams: upstreams.map(withBareSecrets),
    routes: settings.routes ?? {},
    chats: check(settings.chats ?? {}, Chats, "chats"),
    citations: settings.citations ?? "inline",
    chores: settings.chores?.patterns ?? [],
    queue: check(settings.queue ?? {}, Queue, "queue"),
    files: { ...files, folder },
    storePath,
    sealKeys: sealKeys(environment),
    log: { level: settings.log?.level ?? "info" },
    warnings,
  };
}

/** The file that is read, and whether somebody has named it: then it must exist. */
export function configFile({ config }: CommandLine, environment: Environment) {
  const named = config ?? environment.MOONBRIDGE_CONFIG;
  return { path: resolve(named ?? "config.json"), isNamed: named !== undefined };
}

async function readConfigFile(path: string, mustExist: boolean): Promise<Settings> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (cause) {
    const missing = errorCode(cause) === "ENOENT";
    if (missing && !mustExist) return {};
    throw new ConfigError(`${path}: ${missing ? "there is no such file" : "this file cannot be read"}.`, {
      cause,
    });
  }
  const errors: ParseError[] = [];
  const settings: unknown = parse(source.replace(/^\ufeff/, ""), errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first) {
    const line = source.slice(0, first.offset).split("\n").length;
    throw new ConfigError(`${path}, line ${line}: this is not JSON (${printParseErrorCode(first.error)}).`);
  }
  if (!isObject(settings)) throw new ConfigError(`${path}: expected an object in braces.`);
  return { ...settings };
}

function fromCommandLine({ host, port }: CommandLine): Settings {
  const server = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
  return Object.keys(server).length > 0 ? { server } : {};
}

/** Later settings win; sections are merged key by key. */
function merge(...layers: readonly Settings[]): Settings {
  const merged: Settings = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const below = merged[key];
      merged[key] = isObject(below) && isObject(value) ? { ...below, ...value } : value;
    }
  }
  return merged;
}

/** The original knew one key, for everything. */
function originalKey({ token }: ConfigFile): KeyConfig[] {
  return token === undefined ? [] : [{ name: "token", key: bare(token), scopes: ["chat", "admin"] }];
}

/** The original's `auth_token` and `refresh_token` as one kimi-web upstream. */
function originalUpstream(settings: ConfigFile, warnings: string[]): UpstreamConfig[] {
  const given = { auth_token: settings.auth_token, refresh_token: settings.refresh_token };
  const tokens: Record<string, string> = {};
  for (const [key, value] of Object.entries(given)) {
    const token = bare(value ?? "");
    if (/^(\.{3}|…)?$/.test(token)) {
      if (value !== undefined) warnings.push(`${key} is still the sample's placeholder and is not used.`);
    } else tokens[key] = token;
  }
  const { auth_token: accessToken, refresh_token: refreshToken } = tokens;
  if (!accessToken && !refreshToken) return [];
  return [
    {
      name: "kimi",
      kind: "kimi-web",
      ...(accessToken ? { accessToken } : {}),
      ...(refreshToken ? { refreshToken } : {}),
    },
  ];
}

function withBareSecrets(upstream: UpstreamConfig): UpstreamConfig {
  if (upstream.kind === "openai") {
    return { ...upstream, ...(upstream.apiKey ? { apiKey: bare(upstream.apiKey) } : {}) };
  }
  if (upstream.kind !== "kimi-web" && upstream.kind !== "kimi-legacy") return upstream;
  const { accessToken, refreshToken, ...rest } = upstream;
  return {
    ...rest,
    ...(accessToken ? { accessToken: bare(accessToken) } : {}),
    ...(refreshToken ? { refreshToken: bare(refreshToken) } : {}),
  };
}

/** A token without the `Bearer ` that people copy with it. */
function bare(token: string): string {
  return token.trim().replace(/^bearer\s+/i, "");
}

function checkNames(items: readonly { name: string }[], section: string): void {
  const names = new Set<string>();
  items.forEach((item, index) => {
    if (names.has(item.name))
      throw new ConfigError(`${section}[${index}].name: another one has this name already.`);
    names.add(item.name);
  });
}

/** What the schema of a key cannot tell. Throws ConfigError; `at` is in front of the setting's name in it. */
export function checkKey(
  { expires, upstreams: names = [] }: Pick<KeyConfig, "expires" | "upstreams">,
  upstreams: readonly UpstreamConfig[],
  at = "",
): void {
  if (expires !== undefined && Number.isNaN(Date.parse(expires)))
    throw new ConfigError(`${at}expires: there is no such day or time.`);
  const unknown = names.find((name) => !upstreams.some((upstream) => upstream.name === name));
  if (unknown !== undefined) throw new ConfigError(`${at}upstreams: there is no upstream “${unknown}”.`);
}

function checkPatterns(patterns: readonly string[]): void {
  patterns.forEach((pattern, index) => {
    try {
      new RegExp(pattern);
    } catch {
      throw new ConfigError(`chores.patterns[${index}]: expected a regular expression.`);
    }
  });
}

function checkRoutes(routes: Record<string, string[]>, upstreams: readonly UpstreamConfig[]): void {
  for (const [model, names] of Object.entries(routes)) {
    const unknown = names.find((name) => !upstreams.some((upstream) => upstream.name === name));
    if (unknown !== undefined) throw new ConfigError(`routes.${model}: there is no upstream “${unknown}”.`);
  }
}
