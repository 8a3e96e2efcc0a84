import { type ParseError, parse } from "jsonc-parser";
import { ConfigError } from "./validate.js";

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

type ValueParser = (value: string, name: string) => unknown;

/**
 * The path in the config file for each variable. Objects and lists of objects are JSON; `parseList` also takes commas.
 */
const variables: Record<string, { path: readonly [string, ...string[]]; parseValue: ValueParser }> = {
  HOST: { path: ["server", "host"], parseValue: parseString },
  PORT: { path: ["server", "port"], parseValue: parseInteger },
  MOONBRIDGE_SERVER_HOST: { path: ["server", "host"], parseValue: parseString },
  MOONBRIDGE_SERVER_PORT: { path: ["server", "port"], parseValue: parseInteger },
  MOONBRIDGE_SERVER_CORS: { path: ["server", "cors"], parseValue: parseList },
  MOONBRIDGE_SERVER_UNKNOWN_PARAMETERS: { path: ["server", "unknownParameters"], parseValue: parseString },
  MOONBRIDGE_SERVER_SHUTDOWN_SECONDS: { path: ["server", "shutdownSeconds"], parseValue: parseInteger },
  MOONBRIDGE_KEYS: { path: ["keys"], parseValue: parseJson },
  MOONBRIDGE_OAUTH_ISSUER: { path: ["oauth", "issuer"], parseValue: parseString },
  MOONBRIDGE_OAUTH_AUDIENCE: { path: ["oauth", "audience"], parseValue: parseString },
  MOONBRIDGE_OAUTH_SCOPE: { path: ["oauth", "scope"], parseValue: parseString },
  MOONBRIDGE_OAUTH_ADMIN_SCOPE: { path: ["oauth", "adminScope"], parseValue: parseString },
  MOONBRIDGE_OAUTH_ALGORITHMS: { path: ["oauth", "algorithms"], parseValue: parseList },
  MOONBRIDGE_UPSTREAMS: { path: ["upstreams"], parseValue: parseJson },
  MOONBRIDGE_ROUTES: { path: ["routes"], parseValue: parseJson },
  MOONBRIDGE_MODEL_ALIASES: { path: ["modelAliases"], parseValue: parseJson },
  MOONBRIDGE_CHATS_MODE: { path: ["chats", "mode"], parseValue: parseString },
  MOONBRIDGE_CHATS_KEEP_HOURS: { path: ["chats", "keepHours"], parseValue: parseInteger },
  MOONBRIDGE_CHATS_WINDOWS: { path: ["chats", "windows"], parseValue: parseString },
  MOONBRIDGE_CITATIONS: { path: ["citations"], parseValue: parseString },
  MOONBRIDGE_CHORES_PATTERNS: { path: ["chores", "patterns"], parseValue: parseJson },
  MOONBRIDGE_STREAMS_VISIBLE_ERRORS: { path: ["streams", "visibleErrors"], parseValue: parseBoolean },
  MOONBRIDGE_QUEUE_DEPTH: { path: ["queue", "depth"], parseValue: parseInteger },
  MOONBRIDGE_QUEUE_WAIT_SECONDS: { path: ["queue", "waitSeconds"], parseValue: parseInteger },
  MOONBRIDGE_FILES_MAX_BYTES: { path: ["files", "maxBytes"], parseValue: parseInteger },
  MOONBRIDGE_FILES_LINK_SECONDS: { path: ["files", "linkSeconds"], parseValue: parseInteger },
  MOONBRIDGE_FILES_ALLOW_PRIVATE_LINKS: { path: ["files", "allowPrivateLinks"], parseValue: parseBoolean },
  MOONBRIDGE_FILES_PROMPT_LINKS: { path: ["files", "promptLinks"], parseValue: parseString },
  MOONBRIDGE_FILES_FOLDER: { path: ["files", "folder"], parseValue: parseString },
  MOONBRIDGE_TOOLS_MAX_OLD_RESULT_CHARACTERS: {
    path: ["tools", "maxOldResultCharacters"],
    parseValue: parseInteger,
  },
  MOONBRIDGE_STORE: { path: ["store"], parseValue: parseString },
  MOONBRIDGE_LOG_LEVEL: { path: ["log", "level"], parseValue: parseString },
  MOONBRIDGE_TOKEN: { path: ["token"], parseValue: parseString },
  MOONBRIDGE_AUTH_TOKEN: { path: ["auth_token"], parseValue: parseString },
  MOONBRIDGE_REFRESH_TOKEN: { path: ["refresh_token"], parseValue: parseString },
};

/** The names of all variables that stand for a setting. */
export const variableNames: readonly string[] = Object.keys(variables);

/**
 * Settings from the environment, in the shape of the config file. Empty variables count as unset. Throws ConfigError.
 */
export function readEnvironment(environment: Environment): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, { path, parseValue }] of Object.entries(variables)) {
    const value = environment[name];
    if (value === undefined || value === "") continue;
    const [section, key] = path;
    if (key === undefined) settings[section] = parseValue(value, name);
    else settings[section] = { ...Object(settings[section]), [key]: parseValue(value, name) };
  }
  return settings;
}

function parseString(value: string): string {
  return value;
}

function parseInteger(value: string, name: string): number {
  if (!/^\d+$/.test(value)) throw new ConfigError(`${name}: expected a whole number.`);
  return Number(value);
}

function parseBoolean(value: string, name: string): boolean {
  if (value !== "true" && value !== "false") throw new ConfigError(`${name}: expected true or false.`);
  return value === "true";
}

function parseList(value: string, name: string): unknown {
  return value.startsWith("[") ? parseJson(value, name) : value.split(",").map((item) => item.trim());
}

function parseJson(value: string, name: string): unknown {
  const errors: ParseError[] = [];
  const parsed: unknown = parse(value, errors, { allowTrailingComma: true });
  if (errors.length > 0) throw new ConfigError(`${name}: expected JSON.`);
  return parsed;
}
