import { configMessages } from "../i18n/config-messages.js";
import type { Environment } from "../lib/environment-variables.js";
import { ConfigError } from "./validate.js";

const currentVariable = "MOONBRIDGE_ENCRYPTION_KEY";
const oldVariable = "MOONBRIDGE_ENCRYPTION_KEY_OLD";

/**
 * Keys that encrypt secrets in the store: the current one, then the previous one. Read from the environment only, since
 * keys in a file next to the database would not protect it. Throws ConfigError.
 */
export function readEncryptionKeys(environment: Environment): Buffer[] {
  const keys = [currentVariable, oldVariable].map((name) => readKey(environment[name]?.trim() ?? "", name));
  if (keys[1] && !keys[0]) throw new ConfigError(configMessages.uselessOldKey(oldVariable, currentVariable));
  return keys.filter((key) => key !== undefined);
}

/** 32 bytes as hex or base64; an empty variable counts as unset. */
function readKey(value: string, name: string): Buffer | undefined {
  if (value === "") return undefined;
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, "hex");
  if (/^[\w+/-]{43}=?$/.test(value)) return Buffer.from(value, "base64");
  throw new ConfigError(configMessages.expectedEncryptionKey(name));
}
