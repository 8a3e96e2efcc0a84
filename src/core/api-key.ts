import { hash, randomBytes } from "node:crypto";
import type { KeySettings, StoredKey } from "./store.js";

/**
 * Characters from which a random key counts as impossible to guess. A key that a person chose may be guessable at any
 * length.
 */
export const minimumUnguessableLength = 32;

/** Creates a key: `key` is shown once, `stored` holds its hash only. */
export function createApiKey(name: string, settings: KeySettings): { key: string; stored: StoredKey } {
  const key = `sk-moonbridge-${randomBytes(24).toString("base64url")}`;
  return {
    key,
    stored: { name, sha256: hashApiKey(key).toString("hex"), settings, createdAt: Date.now() },
  };
}

/** SHA-256 of the key, the only form in which a key is stored. */
export function hashApiKey(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

/** True once the key's expiry time has passed. */
export function hasExpired({ expires }: Pick<KeySettings, "expires">): boolean {
  return expires !== undefined && expires <= Date.now();
}
