import { type CommandLineOptions, loadConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Environment } from "../lib/environment-variables.js";
import { kimiWeb } from "../upstreams/kimi-web/kind.js";
import { upstreamKinds } from "../upstreams/registry.js";

/** Loads the configuration, with all kinds of upstreams; see `loadConfig`. Throws ConfigError. */
export function loadAppConfig(commandLine: CommandLineOptions, environment: Environment): Promise<Config> {
  return loadConfig(commandLine, environment, { kinds: upstreamKinds, accountKind: kimiWeb.kind });
}
