import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import { keyPath } from "../lib/json.js";
import { type UpstreamConfig, upstreamSchemas } from "./upstream-schema.js";

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

/** Validates each upstream against the schema of its kind. Throws ConfigError. */
export function checkUpstreams(upstreams: readonly unknown[]): UpstreamConfig[] {
  return upstreams.map((upstream, index) => checkUpstream(upstream, `upstreams[${index}]`));
}

function checkUpstream(upstream: unknown, path: string): UpstreamConfig {
  const { kind } = checkSchema(
    upstream,
    Type.Object({ kind: Type.String({ description: expectedKind }) }),
    path,
  );
  switch (kind) {
    case "kimi-web":
      return checkSchema(upstream, upstreamSchemas["kimi-web"], path);
    case "kimi-legacy":
      return checkSchema(upstream, upstreamSchemas["kimi-legacy"], path);
    case "openai":
      return checkBaseUrlOrRegion(checkSchema(upstream, upstreamSchemas.openai, path), path);
    case "simulator":
      return checkSchema(upstream, upstreamSchemas.simulator, path);
    default:
      throw new ConfigError(`${path}.kind: expected ${expectedKind}.`);
  }
}

/** Requires either `baseUrl` or `region`; a region needs an API key. */
function checkBaseUrlOrRegion<T extends { baseUrl?: string; region?: string; apiKey?: string }>(
  upstream: T,
  path: string,
): T {
  if ((upstream.baseUrl === undefined) === (upstream.region === undefined)) {
    throw new ConfigError(`${path}: expected either baseUrl or region.`);
  }
  if (upstream.region && !upstream.apiKey) throw new ConfigError(`${path}.apiKey: this setting is missing.`);
  return upstream;
}

const expectedKind = Object.keys(upstreamSchemas).join(" or ");

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
