import type { Static, TSchema } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import { keyPath } from "../lib/json.js";

/** An error in the configuration. The message names the setting and what was expected, and quotes no value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Validates a value and returns it with defaults filled in. Throws ConfigError for the first error; `path` is the
 * value's path in the config.
 */
export function checkSchema<T extends TSchema>(value: unknown, schema: T, path = ""): Static<T> {
  const filled = Value.Default(schema, value);
  if (Value.Check(schema, filled)) return filled;
  const error = Value.Errors(schema, filled).First();
  throw error ? toConfigError(error, path) : new ConfigError("The configuration is not valid.");
}

function toConfigError(error: ValueError, path: string): ConfigError {
  const key = [path, keyPath(error.path)].filter((part) => part !== "").join(".") || "the file";
  if (error.message.startsWith("Unexpected property"))
    return new ConfigError(`${key}: there is no such setting.`);
  if (error.message.startsWith("Expected required"))
    return new ConfigError(`${key}: this setting is missing.`);
  const expected = error.schema.description ?? error.message.replace(/^Expected /, "");
  return new ConfigError(`${key}: expected ${expected}${quotesAdvice(error)}.`);
}

/** Says whether quotes are missing or too many, where that alone may be wrong. */
function quotesAdvice({ schema, value }: ValueError): string {
  if (schema.type === "string")
    return typeof value === "number" || typeof value === "boolean" ? ", in quotes" : "";
  const takesNoQuotes = ["integer", "number", "boolean"].includes(String(schema.type));
  return takesNoQuotes && typeof value === "string" && /^(\d+|true|false)$/.test(value)
    ? ", without quotes"
    : "";
}
