import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { isObject } from "../json.js";
import { ConfigError, check, checkUpstreams } from "./check.js";
import { type Environment, fromEnvironment } from "./environment.js";
import { Chats, type Config, ConfigFile, Server, type UpstreamConfig } from "./schema.js";
import { sealKeys } from "./seal-keys.js";

export type CommandLine = { config?: string; host?: string; port?: number };

type Settings = Record<string, unknown>;

/**
 * The configuration from command line, environment and file, in this order of precedence. Throws ConfigError.
 * The file is `--config`, else MOONBRIDGE_CONFIG, else `config.json` in this folder if there is one.
 */
export async function loadConfig(commandLine: CommandLine, environment: Environment): Promise<Config> {
  const named = commandLine.config ?? environment.MOONBRIDGE_CONFIG;
  const path = resolve(named ?? "config.json");
  const file = await readConfigFile(path, named !== undefined);
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
  checkRoutes(settings.routes ?? {}, upstreams);
  checkPatterns(settings.chores?.patterns ?? []);
  return {
    server: check(settings.server ?? {}, Server, "server"),
    keys,
    upstreams: upstreams.map(withBareTokens),
    routes: settings.routes ?? {},
    chats: check(settings.chats ?? {}, Chats, "chats"),
    citations: settings.citations ?? "inline",
    chores: settings.chores?.patterns ?? [],
    storePath: resolve(dirname(path), settings.store?.slice("sqlite:".length) ?? "moonbridge.db"),
    sealKeys: sealKeys(environment),
    log: { level: settings.log?.level ?? "info" },
    warnings,
  };
}

async function readConfigFile(path: string, mustExist: boolean): Promise<Settings> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
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

function originalKey(settings: ConfigFile) {
  return settings.token === undefined ? [] : [{ name: "token", key: bare(settings.token) }];
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

function withBareTokens(upstream: UpstreamConfig): UpstreamConfig {
  if (upstream.kind !== "kimi-web") return upstream;
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
