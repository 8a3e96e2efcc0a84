import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import { keyPath } from "../lib/json.js";
import { type UpstreamConfig, upstreamSchemas } from "./upstream-schema.js";

/** A mistake in the configuration; the message names the key and what was expected, and quotes no value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** The value with its defaults filled in, if the schema takes it; otherwise a ConfigError about its first mistake. */
export function check<T extends TSchema>(value: unknown, schema: T, at = ""): Static<T> {
  const filled = Value.Default(schema, value);
  if (Value.Check(schema, filled)) return filled;
  const error = Value.Errors(schema, filled).First();
  throw error ? mistake(error, at) : new ConfigError("The configuration is not valid.");
}

/** Each upstream against the schema of its kind. */
export function checkUpstreams(upstreams: readonly unknown[]): UpstreamConfig[] {
  return upstreams.map((upstream, index) => checkUpstream(upstream, `upstreams[${index}]`));
}

function checkUpstream(upstream: unknown, at: string): UpstreamConfig {
  const { kind } = check(upstream, Type.Object({ kind: Type.String({ description: expectedKind }) }), at);
  switch (kind) {
    case "kimi-web":
      return check(upstream, upstreamSchemas["kimi-web"], at);
    case "kimi-legacy":
      return check(upstream, upstreamSchemas["kimi-legacy"], at);
    case "openai":
      return checkAddress(check(upstream, upstreamSchemas.openai, at), at);
    case "simulator":
      return check(upstream, upstreamSchemas.simulator, at);
    default:
      throw new ConfigError(`${at}.kind: expected ${expectedKind}.`);
  }
}

/** One address or the platform of one region, which has a key for everybody. */
function checkAddress<T extends { baseUrl?: string; region?: string; apiKey?: string }>(
  upstream: T,
  at: string,
): T {
  if ((upstream.baseUrl === undefined) === (upstream.region === undefined)) {
    throw new ConfigError(`${at}: expected either baseUrl or region.`);
  }
  if (upstream.region && !upstream.apiKey) throw new ConfigError(`${at}.apiKey: this setting is missing.`);
  return upstream;
}

const expectedKind = Object.keys(upstreamSchemas).join(" or ");

function mistake(error: ValueError, at: string): ConfigError {
  const key = [at, keyPath(error.path)].filter((part) => part !== "").join(".") || "the file";
  if (error.message.startsWith("Unexpected property"))
    return new ConfigError(`${key}: there is no such setting.`);
  if (error.message.startsWith("Expected required"))
    return new ConfigError(`${key}: this setting is missing.`);
  const description = error.schema.description;
  return new ConfigError(`${key}: expected ${description ?? error.message.replace(/^Expected /, "")}.`);
}
