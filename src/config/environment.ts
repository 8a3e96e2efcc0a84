import { type ParseError, parse } from "jsonc-parser";
import { ConfigError } from "./validate.js";

export type Environment = Readonly<Record<string, string | undefined>>;

type Reader = (value: string, name: string) => unknown;

/** Every setting by its variable. Lists and tables are JSON. */
const variables: Record<string, { path: readonly [string, ...string[]]; read: Reader }> = {
  HOST: { path: ["server", "host"], read: plain },
  PORT: { path: ["server", "port"], read: number },
  MOONBRIDGE_SERVER_HOST: { path: ["server", "host"], read: plain },
  MOONBRIDGE_SERVER_PORT: { path: ["server", "port"], read: number },
  MOONBRIDGE_SERVER_CORS: { path: ["server", "cors"], read: list },
  MOONBRIDGE_SERVER_UNKNOWN_PARAMETERS: { path: ["server", "unknownParameters"], read: plain },
  MOONBRIDGE_SERVER_SHUTDOWN_SECONDS: { path: ["server", "shutdownSeconds"], read: number },
  MOONBRIDGE_KEYS: { path: ["keys"], read: json },
  MOONBRIDGE_OAUTH_ISSUER: { path: ["oauth", "issuer"], read: plain },
  MOONBRIDGE_OAUTH_AUDIENCE: { path: ["oauth", "audience"], read: plain },
  MOONBRIDGE_OAUTH_SCOPE: { path: ["oauth", "scope"], read: plain },
  MOONBRIDGE_OAUTH_ADMIN_SCOPE: { path: ["oauth", "adminScope"], read: plain },
  MOONBRIDGE_OAUTH_ALGORITHMS: { path: ["oauth", "algorithms"], read: list },
  MOONBRIDGE_UPSTREAMS: { path: ["upstreams"], read: json },
  MOONBRIDGE_ROUTES: { path: ["routes"], read: json },
  MOONBRIDGE_CHATS_MODE: { path: ["chats", "mode"], read: plain },
  MOONBRIDGE_CHATS_KEEP_HOURS: { path: ["chats", "keepHours"], read: number },
  MOONBRIDGE_CITATIONS: { path: ["citations"], read: plain },
  MOONBRIDGE_CHORES_PATTERNS: { path: ["chores", "patterns"], read: json },
  MOONBRIDGE_QUEUE_DEPTH: { path: ["queue", "depth"], read: number },
  MOONBRIDGE_QUEUE_WAIT_SECONDS: { path: ["queue", "waitSeconds"], read: number },
  MOONBRIDGE_FILES_MAX_BYTES: { path: ["files", "maxBytes"], read: number },
  MOONBRIDGE_FILES_ALLOW_PRIVATE_LINKS: { path: ["files", "allowPrivateLinks"], read: flag },
  MOONBRIDGE_FILES_PROMPT_LINKS: { path: ["files", "promptLinks"], read: plain },
  MOONBRIDGE_FILES_FOLDER: { path: ["files", "folder"], read: plain },
  MOONBRIDGE_STORE: { path: ["store"], read: plain },
  MOONBRIDGE_LOG_LEVEL: { path: ["log", "level"], read: plain },
  MOONBRIDGE_TOKEN: { path: ["token"], read: plain },
  MOONBRIDGE_AUTH_TOKEN: { path: ["auth_token"], read: plain },
  MOONBRIDGE_REFRESH_TOKEN: { path: ["refresh_token"], read: plain },
};

/** The settings that the environment gives, in the shape of the file. Empty variables count as unset. */
export function fromEnvironment(environment: Environment): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, { path, read }] of Object.entries(variables)) {
    const value = environment[name];
    if (value === undefined || value === "") continue;
    const [section, key] = path;
    if (key === undefined) settings[section] = read(value, name);
    else settings[section] = { ...Object(settings[section]), [key]: read(value, name) };
  }
  return settings;
}

function plain(value: string): string {
  return value;
}

function number(value: string, name: string): number {
  if (!/^\d+$/.test(value)) throw new ConfigError(`${name}: expected a whole number.`);
  return Number(value);
}

function flag(value: string, name: string): boolean {
  if (value !== "true" && value !== "false") throw new ConfigError(`${name}: expected true or false.`);
  return value === "true";
}

function list(value: string, name: string): unknown {
  return value.startsWith("[") ? json(value, name) : value.split(",").map((item) => item.trim());
}

function json(value: string, name: string): unknown {
  const errors: ParseError[] = [];
  const parsed: unknown = parse(value, errors, { allowTrailingComma: true });
  if (errors.length > 0) throw new ConfigError(`${name}: expected JSON.`);
  return parsed;
}
