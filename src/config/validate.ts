import type { Static, TSchema } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import { configMessages } from "../i18n/config-messages.js";
import { type LocalizedText, localize, type Message, untranslated } from "../i18n/text.js";
import { keyPath } from "../lib/json.js";

/** An error in the configuration. The message names the setting and what was expected, and quotes no value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** The message in every language; `message` is the English one. */
  readonly text: LocalizedText;

  constructor(message: Message, options?: ErrorOptions) {
    const text = localize(message);
    super(text.en, options);
    this.text = text;
  }
}

/**
 * Validates a value and returns it with defaults filled in. Throws ConfigError for the first error; `path` is the
 * value's path in the config.
 */
export function checkSchema<T extends TSchema>(value: unknown, schema: T, path = ""): Static<T> {
  const filled = Value.Default(schema, value);
  if (Value.Check(schema, filled)) return filled;
  const error = Value.Errors(schema, filled).First();
  throw error ? toConfigError(error, path) : new ConfigError(configMessages.notValid);
}

function toConfigError(error: ValueError, path: string): ConfigError {
  const key = [path, keyPath(error.path)].filter((part) => part !== "").join(".");
  if (error.message.startsWith("Unexpected property"))
    return new ConfigError(configMessages.noSuchSetting(key));
  if (error.message.startsWith("Expected required"))
    return new ConfigError(configMessages.missingSetting(key));
  const setting = key === "" ? configMessages.theFile : untranslated(key);
  const expected = error.schema.description ?? error.message.replace(/^Expected /, "");
  return new ConfigError(configMessages.expected(setting, expected, quotesAdvice(error)));
}

/** Says whether quotes are missing or too many, where that alone may be wrong. */
function quotesAdvice({ schema, value }: ValueError): "fine" | "missing" | "superfluous" {
  if (schema.type === "string")
    return typeof value === "number" || typeof value === "boolean" ? "missing" : "fine";
  const takesNoQuotes = ["integer", "number", "boolean"].includes(String(schema.type));
  return takesNoQuotes && typeof value === "string" && /^(\d+|true|false)$/.test(value)
    ? "superfluous"
    : "fine";
}
