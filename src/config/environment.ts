import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { type ParseError, parse } from "jsonc-parser";
import { configMessages } from "../i18n/config-messages.js";
import type { Environment } from "../lib/environment-variables.js";
import { listSettings, type Setting } from "./list-settings.js";
import { ConfigFileSchema } from "./schema.js";
import { ConfigError } from "./validate.js";

type ValueParser = (value: string, name: string) => unknown;
type Variable = { name: string; path: Setting["path"]; parseValue: ValueParser };

/** The names by which hosting services and containers set these. Moonbridge's own names take precedence. */
const shortNames: Readonly<Record<string, string>> = { "server.host": "HOST", "server.port": "PORT" };

const variables: readonly Variable[] = listSettings(ConfigFileSchema)
  .map(({ path, schema }) => ({ path, parseValue: parserFor(schema) }))
  .flatMap((variable) => variableNamesOf(variable.path).map((name) => ({ ...variable, name })));

/** The names of all variables that stand for a setting. */
export const variableNames: readonly string[] = variables.map(({ name }) => name);

/** The variables of a setting; the last one that is set counts. `chats.keepHours`: `MOONBRIDGE_CHATS_KEEP_HOURS`. */
export function variableNamesOf(path: Setting["path"]): string[] {
  const words = path.join("_").replace(/[A-Z]/g, "_$&").toUpperCase();
  const shortName = shortNames[path.join(".")];
  return [...(shortName === undefined ? [] : [shortName]), `MOONBRIDGE_${words}`];
}

/** Settings from the environment without empty variables, in the shape of the config file. Throws ConfigError. */
export function readEnvironment(environment: Environment): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const { name, path, parseValue } of variables) {
    const value = environment[name];
    if (value === undefined) continue;
    const [section, key] = path;
    const parsed = parseValue(value, name);
    settings[section] = key === undefined ? parsed : { ...Object(settings[section]), [key]: parsed };
  }
  return settings;
}

/** Lists are separated by commas or JSON; all else that is no single value is JSON. */
function parserFor(schema: TSchema): ValueParser {
  if (TypeGuard.IsInteger(schema)) return parseInteger;
  if (TypeGuard.IsNumber(schema)) return parseNumber;
  if (TypeGuard.IsBoolean(schema)) return parseBoolean;
  if (TypeGuard.IsString(schema) || TypeGuard.IsUnion(schema)) return parseString;
  const isList = TypeGuard.IsArray(schema) && !TypeGuard.IsObject(schema.items) && schema.commas !== false;
  if (!isList || TypeGuard.IsUnknown(schema.items)) return parseJson;
  return TypeGuard.IsInteger(schema.items) ? parseIntegers : parseList;
}

function parseString(value: string): string {
  return value;
}

function parseInteger(value: string, name: string): number {
  if (!/^\d+$/.test(value)) throw new ConfigError(configMessages.expectedWholeNumber(name));
  return Number(value);
}

function parseNumber(value: string, name: string): number {
  if (!/^\d+(\.\d+)?$/.test(value)) throw new ConfigError(configMessages.expectedNumber(name));
  return Number(value);
}

function parseBoolean(value: string, name: string): boolean {
  if (value !== "true" && value !== "false") throw new ConfigError(configMessages.expectedBoolean(name));
  return value === "true";
}

function parseList(value: string, name: string): unknown {
  return value.startsWith("[") ? parseJson(value, name) : value.split(",").map((item) => item.trim());
}

function parseIntegers(value: string, name: string): unknown {
  if (value.startsWith("[")) return parseJson(value, name);
  return value.split(",").map((item) => parseInteger(item.trim(), name));
}

function parseJson(value: string, name: string): unknown {
  const errors: ParseError[] = [];
  const parsed: unknown = parse(value, errors, { allowTrailingComma: true });
  if (errors.length > 0) throw new ConfigError(configMessages.expectedJson(name));
  return parsed;
}
