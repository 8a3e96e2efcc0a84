import type { Environment } from "./environment.js";
import { ConfigError } from "./validate.js";

const current = "MOONBRIDGE_ENCRYPTION_KEY";
const old = "MOONBRIDGE_ENCRYPTION_KEY_OLD";

/**
 * The keys that seal what is secret in the store: the one in force, then the one before. They come from the
 * environment alone: in a file beside the database they would be of no use. Throws ConfigError.
 */
export function sealKeys(environment: Environment): Buffer[] {
  const keys = [current, old].map((name) => readKey(environment[name]?.trim() ?? "", name));
  if (keys[1] && !keys[0])
    throw new ConfigError(`${old}: this is of use only with a new ${current} beside it.`);
  return keys.filter((key) => key !== undefined);
}

/** 32 bytes as hex or base64; an empty variable counts as unset. */
function readKey(value: string, name: string): Buffer | undefined {
  if (value === "") return undefined;
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, "hex");
  if (/^[\w+/-]{43}=?$/.test(value)) return Buffer.from(value, "base64");
  throw new ConfigError(`${name}: expected 32 bytes as base64 or hex. “openssl rand -base64 32” makes some.`);
}
